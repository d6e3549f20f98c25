/// An absolute http or https URL, taken apart as the real host does (RFC 3986 §3, RFC 9110 §4.2).
struct SimulatedURL: Hashable {
    /// Where a request goes.
    struct Origin: Hashable {
        var isSecure: Bool
        /// A host name in small letters, or an IP literal without brackets.
        var host: String
        var port: UInt16
    }

    var origin: Origin
    /// Path and query; begins with `/`.
    var target: String

    /// The longest URL, in bytes.
    static let bytesMax = 8192

    /// Nil if it is none, has another scheme, or names a user; the fragment is dropped.
    init?(_ text: String) {
        guard Self.isPlain(text), let colon = text.firstIndex(of: ":") else { return nil }
        let scheme = text[..<colon].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        var rest = text[text.index(after: colon)...]
        guard rest.hasPrefix("//") else { return nil }
        rest = rest.dropFirst(2).prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard let origin = Self.origin(authority, isSecure: scheme == "https") else { return nil }
        let tail = rest[authority.endIndex...]
        self.init(origin: origin, target: tail.hasPrefix("/") ? String(tail) : "/\(tail)")
    }

    private init(origin: Origin, target: String) {
        self.origin = origin
        self.target = target
    }

    /// As text, with the port where it is not the scheme's own.
    var description: String {
        let name = origin.host.contains(":") ? "[\(origin.host)]" : origin.host
        let port = origin.port == (origin.isSecure ? 443 : 80) ? "" : ":\(origin.port)"
        return "\(origin.isSecure ? "https" : "http")://\(name)\(port)\(target)"
    }

    /// What a reference in a `Location` field means here; nil if it cannot be followed (RFC 3986 §5.2).
    func resolving(_ reference: String) -> SimulatedURL? {
        guard Self.isPlain(reference) else { return nil }
        let text = reference.prefix { $0 != "#" }
        if text.hasPrefix("//") { return SimulatedURL("\(origin.isSecure ? "https" : "http"):\(text)") }
        if let colon = text.firstIndex(of: ":"), !text[..<colon].contains(where: { $0 == "/" || $0 == "?" }) {
            return SimulatedURL(String(text))
        }
        if text.isEmpty { return self }
        let path = target.prefix { $0 != "?" }
        if text.hasPrefix("?") { return SimulatedURL(origin: origin, target: "\(path)\(text)") }
        let own = text.prefix { $0 != "?" }
        let folder = path.prefix(through: path.lastIndex(of: "/") ?? path.startIndex)
        let whole = own.hasPrefix("/") ? String(own) : String(folder + own)
        return SimulatedURL(origin: origin, target: Self.withoutDots(whole) + text[own.endIndex...])
    }

    private static func isPlain(_ text: String) -> Bool {
        text.utf8.count <= bytesMax && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    private static func origin(_ text: Substring, isSecure: Bool) -> Origin? {
        var host = text.prefix { $0 != ":" }
        var rest = text[host.endIndex...]
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[..<end].dropFirst()
            rest = text[text.index(after: end)...]
            guard HostName.isAddress(String(host)), !HostName.isIPv4(String(host)) else { return nil }
        }
        guard let port = port(rest, standard: isSecure ? 443 : 80) else { return nil }
        let isAddress = HostName.isAddress(String(host))
        guard let name = isAddress ? host.lowercased() : HostName.normalised(String(host)) else { return nil }
        return Origin(isSecure: isSecure, host: name, port: port)
    }

    private static func port(_ text: Substring, standard: UInt16) -> UInt16? {
        guard let colon = text.first else { return standard }
        let digits = text.dropFirst()
        guard colon == ":", digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        guard !digits.isEmpty else { return standard }
        return UInt16(digits).flatMap { $0 > 0 ? $0 : nil }
    }

    /// Source: RFC 3986 §5.2.4.
    private static func withoutDots(_ path: String) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        var segments: [Substring] = []
        for part in parts {
            switch part {
            case ".": break
            case "..": _ = segments.popLast()
            default: segments.append(part)
            }
        }
        if parts.last == "." || parts.last == ".." { segments.append("") }
        return "/" + segments.joined(separator: "/")
    }
}

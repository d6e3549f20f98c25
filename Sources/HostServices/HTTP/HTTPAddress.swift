/// An absolute http or https URL, taken apart.
///
/// Source: RFC 3986 §3, RFC 9110 §4.2.
package struct HTTPAddress: Hashable, Sendable {
    /// Where a request goes: requests to one origin may share a connection.
    package struct Origin: Hashable, Sendable {
        package var isSecure: Bool
        /// A host name in lower case, or an IP literal without brackets.
        package var host: String
        package var port: UInt16
    }

    package var origin: Origin
    /// Path and query, as the request line has them; begins with `/`.
    package var target: String

    /// The longest URL, in bytes.
    package static let bytesMax = 8192

    /// Reads a URL; nil if it is none, has another scheme, or names a user.
    ///
    /// The fragment is dropped.
    package init?(_ text: String) {
        guard Self.isPlain(text), let colon = text.firstIndex(of: ":") else { return nil }
        let isSecure: Bool
        switch text[..<colon].lowercased() {
        case "http": isSecure = false
        case "https": isSecure = true
        default: return nil
        }
        var rest = text[text.index(after: colon)...]
        guard rest.hasPrefix("//") else { return nil }
        rest = rest.dropFirst(2).prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard let (host, port) = Self.authority(authority, isSecure: isSecure) else { return nil }
        let tail = rest[authority.endIndex...]
        self.origin = Origin(isSecure: isSecure, host: host, port: port)
        self.target = tail.hasPrefix("/") ? String(tail) : "/\(tail)"
    }

    private init(origin: Origin, target: String) {
        self.origin = origin
        self.target = target
    }

    /// The URL as text, with the port where it is not the scheme's own.
    package var description: String { "\(origin.isSecure ? "https" : "http")://\(origin.authority)\(target)" }

    /// What a reference in a `Location` header means here; nil if it is none that can be followed.
    ///
    /// Source: RFC 3986 §5.2.
    func resolving(_ reference: String) -> HTTPAddress? {
        guard Self.isPlain(reference) else { return nil }
        let text = reference.prefix { $0 != "#" }
        if text.hasPrefix("//") { return HTTPAddress("\(origin.isSecure ? "https" : "http"):\(text)") }
        if let colon = text.firstIndex(of: ":"), !text[..<colon].contains(where: { "/?".contains($0) }) {
            return HTTPAddress(String(text))
        }
        if text.isEmpty { return self }
        if text.hasPrefix("?") { return HTTPAddress(origin: origin, target: "\(path)\(text)") }
        let referencePath = text.prefix { $0 != "?" }
        let query = text[referencePath.endIndex...]
        let folder = path.prefix(upTo: path.index(after: path.lastIndex(of: "/") ?? path.startIndex))
        let whole = referencePath.hasPrefix("/") ? String(referencePath) : String(folder + referencePath)
        return HTTPAddress(origin: origin, target: Self.withoutDots(whole) + query)
    }

    private var path: String { String(target.prefix { $0 != "?" }) }

    /// Visible ASCII alone, and not too much of it.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.count <= bytesMax && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    private static func authority(_ text: Substring, isSecure: Bool) -> (host: String, port: UInt16)? {
        let hostText: Substring
        let portText: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            hostText = text[text.index(after: text.startIndex)..<end]
            portText = text[text.index(after: end)...]
            guard case .v6? = IPAddress(String(hostText)) else { return nil }
        } else {
            hostText = text.prefix { $0 != ":" }
            portText = text[hostText.endIndex...]
        }
        let standard: UInt16 = isSecure ? 443 : 80
        var port: UInt16? = standard
        if !portText.isEmpty {
            guard portText.first == ":" else { return nil }
            let digits = portText.dropFirst()
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            port = digits.isEmpty ? standard : UInt16(digits)
        }
        guard let port, port > 0 else { return nil }
        if IPAddress(String(hostText)) != nil { return (String(hostText).lowercased(), port) }
        return DNSName.checked(String(hostText)).map { ($0, port) }
    }

    /// Source: RFC 3986 §5.2.4.
    private static func withoutDots(_ path: String) -> String {
        var segments: [Substring] = []
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            switch part {
            case ".": if isLast { segments.append("") }
            case "..":
                _ = segments.popLast()
                if isLast { segments.append("") }
            default: segments.append(part)
            }
        }
        return "/" + segments.joined(separator: "/")
    }
}

extension HTTPAddress.Origin {
    /// Host and port as the `Host` header has them.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }
}

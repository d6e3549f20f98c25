/// Hosts whose addresses are known without DNS: those configured, those of the hosts file, and localhost.
struct HostsTable {
    private var addresses: [String: [IPAddress]] = [:]

    /// `configured` wins over `file` (lines of "address name…", "#" begins a comment).
    ///
    /// - Throws: ``ResolverError/invalidHost(name:address:)`` for a configured entry that makes no sense. Bad lines of the
    ///   file are skipped, as everywhere.
    init(configured: [String: [String]], file: [UInt8]) throws(ResolverError) {
        addresses["localhost"] = [.v4("127.0.0.1"), .v6("::1")]  // RFC 6761 §6.3
        var fromFile: [String: [IPAddress]] = [:]
        for line in String(decoding: file, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let first = words.first, let address = IPAddress(first) else { continue }
            for name in words.dropFirst().compactMap(DNSName.checked) where name != "localhost" {
                fromFile[name, default: []].append(address)
            }
        }
        addresses.merge(fromFile) { _, new in new }
        for (name, texts) in configured {
            guard let key = DNSName.checked(name), !texts.isEmpty else {
                throw .invalidHost(name: name, address: "")
            }
            var parsed: [IPAddress] = []
            for text in texts {
                guard let address = IPAddress(text) else { throw .invalidHost(name: name, address: text) }
                parsed.append(address)
            }
            addresses[key] = parsed
        }
    }

    /// The addresses of `name` (checked before), or nil to ask DNS.
    subscript(name: String) -> [IPAddress]? { addresses[name] }
}

/// A host and a port, as settings name them.
package struct HostAndPort: Hashable, Sendable {
    /// Name or IP literal, without brackets; empty: all addresses of this machine.
    package var host: String
    /// 1 … 65535; nil: not written.
    package var port: UInt16?

    /// Makes one of its parts.
    package init(host: String, port: UInt16?) {
        self.host = host
        self.port = port
    }

    /// Reads `host`, `host:port`, `[IPv6]` or `[IPv6]:port`.
    ///
    /// - Throws: ``BridgeError/badHostAndPort(_:)``
    package init(_ text: String) throws(BridgeError) {
        var host = Substring(text)
        var port: UInt16?
        if let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") {
            let digits = text[text.index(after: colon)...]
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt16(digits), number > 0 else {
                throw .badHostAndPort(text)
            }
            host = text[..<colon]
            port = number
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { throw .badHostAndPort(text) }
        } else if host.contains(where: { ":[]/ ".contains($0) }) {
            throw .badHostAndPort(text)
        }
        self.init(host: String(host), port: port)
    }
}

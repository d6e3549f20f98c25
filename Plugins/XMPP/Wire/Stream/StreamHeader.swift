/// The opening tag of an XMPP stream (RFC 6120 §4.7).
///
/// As received, nothing but the XML is checked: the session judges addresses, namespace and version, because each has
/// its own stream error.
package struct StreamHeader: Hashable, Sendable {
    /// Sender's domain as it stands in the attribute, not yet prepared as a JID (RFC 6120 §4.7.1).
    package var from: String?
    /// Receiver's domain as it stands in the attribute, not yet prepared as a JID (RFC 6120 §4.7.2).
    package var to: String?
    /// The stream's id, chosen by the receiving side (RFC 6120 §4.7.3).
    package var id: String?
    /// Value of `version`; nil from a server older than XMPP 1.0, which sends no features (RFC 6120 §4.7.5).
    package var version: String?
    /// Value of `xml:lang` (RFC 6120 §4.7.4).
    package var lang: String?
    /// The namespace of unprefixed children, such as `jabber:server` (RFC 6120 §4.8.2); empty for none.
    package var defaultNamespace: String
    /// The prefixes declared on the header, each with its namespace; the default namespace is not one.
    package var prefixes: [String: String]

    /// What `prefixes` is on a server-to-server stream that may carry dialback (XEP-0220 §2.1.1).
    package static let serverPrefixes = ["stream": Namespace.streams, "db": Namespace.dialback]

    /// Makes a header; the defaults are those of a server-to-server stream.
    package init(
        from: String? = nil,
        to: String? = nil,
        id: String? = nil,
        version: String? = "1.0",
        lang: String? = nil,
        defaultNamespace: String = Namespace.server,
        prefixes: [String: String] = StreamHeader.serverPrefixes
    ) {
        self.from = from
        self.to = to
        self.id = id
        self.version = version
        self.lang = lang
        self.defaultNamespace = defaultNamespace
        self.prefixes = prefixes
    }

    /// Whether the dialback namespace is declared, which is how servers before stream features announced dialback.
    package var declaresDialback: Bool {
        self.prefixes.values.contains(Namespace.dialback)
    }

    /// The number before the dot of `version`: nil when there is none or it is not `digits.digits` (RFC 6120 §4.7.5).
    package var majorVersion: Int? {
        guard let version = self.version else { return nil }
        let parts = version.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy(digits.contains) }) else { return nil }
        return Int(String(parts[0]) ?? "")
    }

    /// Appends the XML declaration and the opening tag.
    ///
    /// The `stream` prefix is declared whether or not `prefixes` has it.
    package func write(into bytes: inout [UInt8]) {
        bytes.append(contentsOf: "<?xml version='1.0'?><stream:stream".utf8)
        func write(_ name: String, _ value: String?) {
            guard let value else { return }
            bytes.append(UInt8(ascii: " "))
            bytes.append(contentsOf: name.utf8)
            bytes.append(contentsOf: "='".utf8)
            XMLEscaping.writeAttributeValue(value, into: &bytes)
            bytes.append(UInt8(ascii: "'"))
        }
        if !self.defaultNamespace.isEmpty {
            write("xmlns", self.defaultNamespace)
        }
        write("xmlns:stream", Namespace.streams)
        for (prefix, namespace) in self.prefixes.sorted(by: { $0.key < $1.key }) where prefix != "stream" {
            write("xmlns:" + prefix, namespace)
        }
        write("from", self.from)
        write("to", self.to)
        write("id", self.id)
        write("version", self.version)
        write("xml:lang", self.lang)
        bytes.append(UInt8(ascii: ">"))
    }

    /// Appends the tag that ends a stream (RFC 6120 §4.4).
    package static func writeClosingTag(into bytes: inout [UInt8]) {
        bytes.append(contentsOf: "</stream:stream>".utf8)
    }
}

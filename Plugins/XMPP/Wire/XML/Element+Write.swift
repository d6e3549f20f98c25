extension Element {
    /// Appends this element as XML that keeps RFC 6120 §11.1, with as few namespace declarations as it takes.
    ///
    /// - Parameters:
    ///   - bytes: what to append to.
    ///   - namespace: the default namespace at this place. On a stream, that of its header.
    ///   - prefixes: the prefixes declared at this place and their namespaces. On a stream, those of its header; `stream`
    ///     alone is right on every stream.
    package func write(
        into bytes: inout [UInt8],
        inheriting namespace: String,
        prefixes: [String: String] = ["stream": Namespace.streams]
    ) {
        let isInherited = self.namespace == namespace
        let prefix = isInherited ? nil : Self.prefix(of: self.namespace, in: prefixes)
        let qualifiedName = prefix.map { $0 + ":" + self.name } ?? self.name
        bytes.append(UInt8(ascii: "<"))
        bytes.append(contentsOf: qualifiedName.utf8)
        if !isInherited, prefix == nil {
            Self.writeAttribute("xmlns", self.namespace, into: &bytes)
        }
        self.writeAttributes(prefixes: prefixes, into: &bytes)

        guard !self.children.isEmpty else {
            bytes.append(contentsOf: "/>".utf8)
            return
        }
        bytes.append(UInt8(ascii: ">"))
        let inner = prefix == nil ? self.namespace : namespace
        for child in self.children {
            switch child {
            case .element(let element): element.write(into: &bytes, inheriting: inner, prefixes: prefixes)
            case .text(let text): XMLEscaping.writeText(text, into: &bytes)
            }
        }
        bytes.append(contentsOf: "</".utf8)
        bytes.append(contentsOf: qualifiedName.utf8)
        bytes.append(UInt8(ascii: ">"))
    }

    /// This element as XML; for logs and tests.
    package func xml(
        inheriting namespace: String,
        prefixes: [String: String] = ["stream": Namespace.streams]
    ) -> String {
        var bytes: [UInt8] = []
        self.write(into: &bytes, inheriting: namespace, prefixes: prefixes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func writeAttributes(prefixes: [String: String], into bytes: inout [UInt8]) {
        for (index, attribute) in self.attributes.enumerated() {
            guard let namespace = attribute.namespace else {
                Self.writeAttribute(attribute.name, attribute.value, into: &bytes)
                continue
            }
            var prefix = Self.prefix(of: namespace, in: prefixes)
            if prefix == nil {
                // Declared for this attribute alone; no header declares a prefix that begins so.
                let declared = "ns-" + String(index)
                Self.writeAttribute("xmlns:" + declared, namespace, into: &bytes)
                prefix = declared
            }
            Self.writeAttribute((prefix ?? "") + ":" + attribute.name, attribute.value, into: &bytes)
        }
    }

    private static func writeAttribute(_ name: String, _ value: String, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: name.utf8)
        bytes.append(contentsOf: "='".utf8)
        XMLEscaping.writeAttributeValue(value, into: &bytes)
        bytes.append(UInt8(ascii: "'"))
    }

    /// The prefix to write for a namespace; nil when one has to be declared.
    ///
    /// The prefix `xml` needs no declaration, and its namespace may be the default nowhere (Namespaces in XML §3).
    private static func prefix(of namespace: String, in prefixes: [String: String]) -> String? {
        namespace == Namespace.xml ? "xml" : prefixes.first { $0.value == namespace }?.key
    }
}

internal import CExpat

// Expat calls these while `parse` runs. Each does nothing once the stream has failed: Expat may finish reporting the
// token at which it was stopped.

extension StreamParser {
    func installHandlers(_ expat: XML_Parser) {
        // Not retained: the parser owns Expat and frees it first.
        XML_SetUserData(expat, Unmanaged.passUnretained(self).toOpaque())
        XML_SetXmlDeclHandler(expat) { data, version, encoding, _ in
            StreamParser.from(data)?.declarationRead(version: version, encoding: encoding)
        }
        XML_SetStartNamespaceDeclHandler(expat) { StreamParser.from($0)?.namespaceDeclared(prefix: $1, uri: $2) }
        XML_SetElementHandler(
            expat,
            { StreamParser.from($0)?.elementStarted(name: $1, attributes: $2) },
            { data, _ in StreamParser.from(data)?.elementEnded() }
        )
        XML_SetCharacterDataHandler(expat) { StreamParser.from($0)?.textRead($1, count: $2) }
        XML_SetCdataSectionHandler(
            expat,
            { StreamParser.from($0)?.noteToken() },
            { StreamParser.from($0)?.noteToken() }
        )
        XML_SetDefaultHandlerExpand(expat) { data, _, _ in StreamParser.from(data)?.noteToken() }
        XML_SetCommentHandler(expat) { data, _ in StreamParser.from(data)?.fail(.restricted(.comment)) }
        XML_SetProcessingInstructionHandler(expat) { data, _, _ in
            StreamParser.from(data)?.fail(.restricted(.processingInstruction))
        }
        XML_SetStartDoctypeDeclHandler(expat) { data, _, _, _, _ in
            StreamParser.from(data)?.fail(.restricted(.documentType))
        }
    }

    private static func from(_ userData: UnsafeMutableRawPointer?) -> StreamParser? {
        userData.map { Unmanaged<StreamParser>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Remembers where the current token ends, and fails when it is too large.
    ///
    /// - Parameter dataBytes: length of the character data in the token. A run of plain data of any length is fine.
    private func noteToken(dataBytes: Int = 0) {
        guard self.failure == nil else { return }
        let count = Int(XML_GetCurrentByteCount(self.expat))
        self.tokenEnd = Int(XML_GetCurrentByteIndex(self.expat)) + count
        if count > self.limits.tagBytesMax, count > dataBytes {
            self.fail(.tagTooLarge(bytesMax: self.limits.tagBytesMax))
        }
    }

    private func declarationRead(version: UnsafePointer<XML_Char>?, encoding: UnsafePointer<XML_Char>?) {
        self.noteToken()
        if let version = version.map({ String(cString: $0) }), version != "1.0" {
            self.fail(.unsupportedXMLVersion(version))
        }
        if let encoding = encoding.map({ String(cString: $0) }), encoding.uppercased() != "UTF-8" {
            self.fail(.unsupportedEncoding(encoding))
        }
    }

    private func namespaceDeclared(prefix: UnsafePointer<XML_Char>?, uri: UnsafePointer<XML_Char>?) {
        guard self.failure == nil else { return }
        guard self.declarations.count < self.limits.attributesMax else {
            self.fail(.tooManyAttributes(max: self.limits.attributesMax))
            return
        }
        let name = prefix.flatMap { self.name($0)?.local }
        guard prefix == nil || name != nil else { return }
        // Only the header's are looked at.
        let isHeader = self.position == .inHeader
        self.declarations.append((name, isHeader ? uri.map { String(cString: $0) } ?? "" : ""))
    }

    private func elementStarted(
        name: UnsafePointer<XML_Char>?,
        attributes: UnsafeMutablePointer<UnsafePointer<XML_Char>?>?
    ) {
        self.noteToken()
        defer { self.declarations.removeAll(keepingCapacity: true) }
        guard self.failure == nil, let name, let name = self.name(name) else { return }
        guard let attributes = self.readAttributes(attributes) else { return }
        switch self.position {
        case .beforeHeader, .afterFirstByte, .inHeader:
            self.headerRead(name, attributes)
            return
        case .betweenStanzas:
            guard name.local != "stream" || name.namespace != Namespace.streams else {
                self.fail(.secondHeader)
                return
            }
            self.position = .inStanza
            self.itemStart = Int(XML_GetCurrentByteIndex(self.expat))
            self.elementCount = 0
        case .inStanza:
            self.flushText()
        case .closed:
            return
        }
        self.elementCount += 1
        guard self.elementCount <= self.limits.elementsMax else {
            self.fail(.tooManyElements(max: self.limits.elementsMax))
            return
        }
        guard self.open.count < self.limits.depthMax else {
            self.fail(.tooDeep(max: self.limits.depthMax))
            return
        }
        self.open.append(
            Element(name: name.local, namespace: name.namespace, attributes: attributes, children: [])
        )
    }

    private func elementEnded() {
        self.noteToken()
        guard self.failure == nil else { return }
        guard self.position == .inStanza else {
            self.position = .closed
            self.report(.closed)
            XML_StopParser(self.expat, XML_Bool(XML_FALSE))
            return
        }
        self.flushText()
        let element = self.open.removeLast()
        guard self.open.isEmpty else {
            self.open[self.open.count - 1].children.append(.element(element))
            return
        }
        self.position = .betweenStanzas
        self.checkItemSize(end: self.tokenEnd)
        self.report(.element(element))
    }

    private func textRead(_ start: UnsafePointer<XML_Char>?, count: CInt) {
        self.noteToken(dataBytes: Int(count))
        guard self.failure == nil, let start else { return }
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(count))
        if self.position == .inStanza {
            self.text.append(contentsOf: bytes)
        } else if !bytes.allSatisfy(XMLEscaping.isSpace) {
            self.fail(.textBetweenStanzas)
        }
    }

    private func flushText() {
        guard !self.text.isEmpty else { return }
        self.open[self.open.count - 1].children.append(.text(String(decoding: self.text, as: UTF8.self)))
        self.text.removeAll(keepingCapacity: self.text.capacity <= Self.sliceBytesMax)
    }

    private func headerRead(_ name: NameTable.Name, _ attributes: [Element.Attribute]) {
        guard name.local == "stream" else {
            self.fail(.notAStream(name.local))
            return
        }
        guard name.namespace == Namespace.streams else {
            self.fail(.wrongStreamNamespace(name.namespace))
            return
        }
        self.checkItemSize(end: self.tokenEnd)
        self.position = .betweenStanzas
        func value(_ name: String, _ namespace: String? = nil) -> String? {
            attributes.first { $0.name == name && $0.namespace == namespace }?.value
        }
        var header = StreamHeader(
            from: value("from"),
            to: value("to"),
            id: value("id"),
            version: value("version"),
            lang: value("lang", Namespace.xml),
            defaultNamespace: "",
            prefixes: [:]
        )
        for (prefix, namespace) in self.declarations {
            if let prefix {
                header.prefixes[prefix] = namespace
            } else {
                header.defaultNamespace = namespace
            }
        }
        self.report(.opened(header))
    }

    /// The attributes of an opening tag; nil when they broke a limit, and then the stream has failed.
    private func readAttributes(
        _ start: UnsafeMutablePointer<UnsafePointer<XML_Char>?>?
    ) -> [Element.Attribute]? {
        let count = Int(XML_GetSpecifiedAttributeCount(self.expat)) / 2
        guard count + self.declarations.count <= self.limits.attributesMax else {
            self.fail(.tooManyAttributes(max: self.limits.attributesMax))
            return nil
        }
        guard count > 0, let start else { return [] }
        var attributes: [Element.Attribute] = []
        attributes.reserveCapacity(count)
        for index in 0..<count {
            guard let name = start[2 * index], let value = start[2 * index + 1] else { break }
            guard let name = self.name(name) else { return nil }
            attributes.append(
                Element.Attribute(
                    name: name.local,
                    namespace: name.namespace.isEmpty ? nil : name.namespace,
                    value: String(cString: value)
                )
            )
        }
        return attributes
    }

    /// Looks a name up; nil when it broke a limit, and then the stream has failed.
    private func name(_ start: UnsafePointer<XML_Char>) -> NameTable.Name? {
        do throws(StreamParserError) {
            return try self.names.name(start, limits: self.limits)
        } catch {
            self.fail(error)
            return nil
        }
    }
}

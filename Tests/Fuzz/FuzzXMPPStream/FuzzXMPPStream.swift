import XMPPWire

/// Whatever a peer sends: parsing ends, does not depend on how the bytes are cut, and what was read can be written and
/// read again as the same.
///
/// The first byte of the input chooses the size of the pieces, and whether a valid header comes before the rest.
@c(LLVMFuzzerTestOneInput)
public func fuzzXMPPStream(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let choice = start[0]
    var bytes = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    if choice & 0x80 != 0 {
        var header: [UInt8] = []
        StreamHeader(from: "a", to: "b", id: "1").write(into: &header)
        bytes = header + bytes
    }

    let whole = StreamParser(limits: limits).parse(bytes)
    let pieces = parse(bytes, pieceBytes: Int(choice & 0x7F) + 1)
    precondition(whole.count == pieces.count)
    for (first, second) in zip(whole, pieces) {
        switch (first.kind, second.kind) {
        case (.failed, .failed):
            // Which of two errors is seen first may depend on the cut.
            break
        default:
            precondition(first == second)
        }
    }
    for event in whole {
        switch event.kind {
        case .opened(let header): checkHeader(header)
        case .element(let element): checkElement(element)
        case .closed, .failed: break
        }
    }
    return 0
}

/// Small, so that short inputs reach them.
private let limits: StreamParserLimits = {
    var limits = StreamParserLimits()
    limits.stanzaBytesMax = 2000
    limits.tagBytesMax = 400
    limits.depthMax = 8
    limits.elementsMax = 40
    limits.attributesMax = 6
    limits.nameBytesMax = 100
    limits.distinctNamesMax = 60
    return limits
}()

private func parse(_ bytes: [UInt8], pieceBytes: Int) -> [StreamEvent] {
    let parser = StreamParser(limits: limits)
    var found: [StreamEvent] = []
    for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
        let piece = Array(bytes[start..<min(start + pieceBytes, bytes.count)])
        for event in parser.parse(piece) {
            precondition(1...piece.count ~= event.endOffset)
            found.append(StreamEvent(event.kind, endOffset: event.endOffset + start))
        }
    }
    return found
}

private func checkHeader(_ header: StreamHeader) {
    var header = header
    // A header that is read may call the streams' namespace anything; one that is written calls it "stream".
    header.prefixes = ["stream": Namespace.streams]
    var bytes: [UInt8] = []
    header.write(into: &bytes)
    precondition(StreamParser().parse(bytes) == [StreamEvent(.opened(header), endOffset: bytes.count)])
}

private func checkElement(_ element: Element) {
    for prefixes in [StreamHeader().prefixes, [:]] {
        var bytes: [UInt8] = []
        StreamHeader(prefixes: prefixes).write(into: &bytes)
        element.write(into: &bytes, inheriting: Namespace.server, prefixes: prefixes)
        let events = StreamParser().parse(bytes)
        precondition(events.last == StreamEvent(.element(element), endOffset: bytes.count))
    }
    checkValues(element)
}

/// What can be read from an element can be written and read as the same.
private func checkValues(_ element: Element) {
    if let error = StreamError(element) {
        precondition(StreamError(error.element) == error)
    }
    if let error = StanzaError(element) {
        precondition(StanzaError(error.element(in: element.namespace)) == error)
    }
    if let features = StreamFeatures(element) {
        precondition(StreamFeatures(features.element) == features)
    }
    if let sasl = try? SASLElement(element) {
        precondition((try? SASLElement(sasl.element)) == sasl)
    }
    if let dialback = try? DialbackElement(element) {
        precondition((try? DialbackElement(dialback.element())) == dialback)
    }
    if let stanza = try? Stanza(element) {
        precondition((try? Stanza(stanza.element)) == stanza)
        checkPayloads(stanza)
    }
}

private func checkPayloads(_ stanza: Stanza) {
    func check<P: Payload>(_ type: P.Type) {
        for payload in stanza.all(type) {
            precondition(P(payload.element) == payload)
        }
    }
    check(Receipt.self)
    check(ChatState.self)
    check(Delay.self)
    check(Correction.self)
    check(OriginID.self)
    check(StanzaID.self)
    check(Hint.self)
    check(Ping.self)
    check(DiscoInfo.self)
    var copy = stanza
    copy.body = stanza.body
    precondition(copy.body == stanza.body)
    copy.priority = stanza.priority
    precondition(copy.priority == stanza.priority)
}

import XMPPWire

/// The opening tag that most tests begin with.
let header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
    + "xmlns:db='jabber:server:dialback' from='a.example' to='b.example' id='1' version='1.0' xml:lang='en'>"

/// What a fresh parser says about a whole text.
func events(_ text: String, limits: StreamParserLimits = StreamParserLimits()) -> [StreamEvent] {
    StreamParser(limits: limits).parse(Array(text.utf8))
}

/// The error that a whole text ends with; nil when there is none.
func failure(_ text: String, limits: StreamParserLimits = StreamParserLimits()) -> StreamParserError? {
    failure(Array(text.utf8), limits: limits)
}

/// The error that the bytes end with; nil when there is none.
func failure(_ bytes: [UInt8], limits: StreamParserLimits = StreamParserLimits()) -> StreamParserError? {
    if case .failed(let error)? = StreamParser(limits: limits).parse(bytes).last?.kind { error } else { nil }
}

/// The elements among the events.
func elements(_ events: [StreamEvent]) -> [Element] {
    events.compactMap { if case .element(let element) = $0.kind { element } else { nil } }
}

/// The only element that a stream with this content has; nil when there is another number of them, or an error.
func parsed(_ xml: String) -> Element? {
    let found = events(header + xml)
    guard found.count == 2, case .element(let element) = found[1].kind else { return nil }
    return element
}

/// What `element` becomes when it is written to a stream and read from it.
func roundTrip(_ element: Element) -> Element? {
    parsed(element.xml(inheriting: Namespace.server, prefixes: StreamHeader.serverPrefixes))
}

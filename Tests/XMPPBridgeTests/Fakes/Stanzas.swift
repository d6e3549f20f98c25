import IMModel
import XMPPBridge
import XMPPWire

/// The moment at which stanzas are read in tests, in ms since 1970.
let nowMs: Int64 = 2_000_000_000_000

/// A JID that is one.
func jid(_ text: String) -> JID {
    guard let jid = try? JID(text) else { preconditionFailure("\(text) is no JID") }
    return jid
}

/// An address that is one.
func address(_ text: String) -> Address {
    guard let address = Address(text) else { preconditionFailure("\(text) is no address") }
    return address
}

/// The one element in a text, as it comes in a server's stream.
func element(_ xml: String) -> Element {
    let header = "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>"
    for event in StreamParser().parse(Array((header + xml).utf8)) {
        if case .element(let element) = event.kind { return element }
    }
    preconditionFailure("\(xml) is no element")
}

/// The stanza in a text.
func stanza(_ xml: String) -> Stanza {
    do {
        return try Stanza(element(xml))
    } catch {
        preconditionFailure("\(xml) is no stanza: \(error)")
    }
}

/// A stanza from bob on a phone to alice, with these contents.
func fromBob(_ name: String, _ attributes: String, _ contents: String) -> Stanza {
    stanza("<\(name) from='bob@b.test/phone' to='alice@a.test' \(attributes)>\(contents)</\(name)>")
}

/// What a stanza's envelopes are; none if it means something else.
func envelopes(_ stanza: Stanza) -> [Envelope] {
    if case .envelopes(let envelopes) = StanzaReader().meaning(of: stanza, nowMs: nowMs) { envelopes } else { [] }
}

/// An envelope from alice to bob.
func toBob(_ content: Envelope.Content, id: String = "m1") -> Envelope {
    Envelope(from: address("alice@a.test"), to: address("bob@b.test"), id: id, content: content)
}

/// The stanza of an envelope as XML; the error's text if there is none.
func xml(_ envelope: Envelope, id: String = "m1") -> String {
    do {
        return try StanzaWriter.stanza(for: envelope, id: id).element.xml(inheriting: Namespace.server)
    } catch {
        return error.description
    }
}

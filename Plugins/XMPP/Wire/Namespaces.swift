/// The XML namespaces of the protocols this module reads and writes.
package enum Namespace {
    /// The `xml:` prefix (Namespaces in XML 1.0 §3).
    package static let xml = "http://www.w3.org/XML/1998/namespace"
    /// The stream element, its features and its errors (RFC 6120 §4.8.1).
    package static let streams = "http://etherx.jabber.org/streams"
    /// Content of a client-to-server stream (RFC 6120 §4.8.3).
    package static let client = "jabber:client"
    /// Content of a server-to-server stream (RFC 6120 §4.8.3).
    package static let server = "jabber:server"
    /// Content of an external component's stream (XEP-0114 §3).
    package static let component = "jabber:component:accept"
    /// Conditions of stream errors (RFC 6120 §4.9.2).
    package static let streamErrors = "urn:ietf:params:xml:ns:xmpp-streams"
    /// Conditions of stanza errors (RFC 6120 §8.3.2).
    package static let stanzaErrors = "urn:ietf:params:xml:ns:xmpp-stanzas"
    /// STARTTLS negotiation (RFC 6120 §5).
    package static let startTLS = "urn:ietf:params:xml:ns:xmpp-tls"
    /// SASL negotiation (RFC 6120 §6).
    package static let sasl = "urn:ietf:params:xml:ns:xmpp-sasl"
    /// Dialback elements (XEP-0220 §2.1).
    package static let dialback = "jabber:server:dialback"
    /// The dialback stream feature (XEP-0220 §2.4.2).
    package static let dialbackFeature = "urn:xmpp:features:dialback"
    /// The bidirectional stream feature (XEP-0288 §2.1).
    package static let bidiFeature = "urn:xmpp:features:bidi"
    /// The request to use a stream in both directions (XEP-0288 §2.2).
    package static let bidi = "urn:xmpp:bidi"
    /// Stream management (XEP-0198 §3).
    package static let streamManagement = "urn:xmpp:sm:3"
    /// Delivery receipts (XEP-0184).
    package static let receipts = "urn:xmpp:receipts"
    /// Chat state notifications (XEP-0085).
    package static let chatStates = "http://jabber.org/protocol/chatstates"
    /// Delayed delivery (XEP-0203).
    package static let delay = "urn:xmpp:delay"
    /// Last message correction (XEP-0308).
    package static let correction = "urn:xmpp:message-correct:0"
    /// Unique and stable stanza ids: XEP-0359 (partial: `stanza-id` is anybody's claim, and not read).
    package static let stanzaIDs = "urn:xmpp:sid:0"
    /// Message processing hints: XEP-0334 (partial: written, and not read).
    package static let hints = "urn:xmpp:hints"
    /// Ping (XEP-0199).
    package static let ping = "urn:xmpp:ping"
    /// Service discovery: identity and features (XEP-0030).
    package static let discoInfo = "http://jabber.org/protocol/disco#info"
    /// Service discovery: associated items (XEP-0030).
    package static let discoItems = "http://jabber.org/protocol/disco#items"
}

internal import XMPPWire

/// The domain that a text names, normalised as the domain part of a JID; nil for anything else.
func normalisedDomain(_ text: String?) -> String? {
    guard let text, let jid = try? JID(text), jid.isDomain else { return nil }
    return jid.domain
}

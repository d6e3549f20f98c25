/// When a stanza was sent that was kept on the way (XEP-0203 §2).
package struct Delay: Payload {
    /// When it was sent first.
    ///
    /// Milliseconds since 1970-01-01T00:00:00Z.
    package var stampMs: Int64
    /// Who kept it; nil when not said, or when that was no JID.
    package var from: JID?
    /// Why, in words; empty for none.
    package var reason: String

    /// Makes a delay.
    package init(stampMs: Int64, from: JID? = nil, reason: String = "") {
        self.stampMs = stampMs
        self.from = from
        self.reason = reason
    }

    package init?(_ element: Element) {
        guard element.isNamed("delay", namespace: Namespace.delay),
            let stampMs = element["stamp"].flatMap(XMPPDateTime.milliseconds(of:))
        else { return nil }
        self.stampMs = stampMs
        self.from = element["from"].flatMap { try? JID($0) }
        self.reason = element.text
    }

    package var element: Element {
        Element(
            "delay",
            namespace: Namespace.delay,
            attributes: ["from": self.from?.description, "stamp": XMPPDateTime.text(ofMilliseconds: self.stampMs)],
            text: self.reason
        )
    }
}

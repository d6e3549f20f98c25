/// Asks whether anybody is there; the payload of an IQ of type get, answered with an empty result (XEP-0199 §3).
package struct Ping: Payload {
    /// Makes a ping.
    package init() {}

    package init?(_ element: Element) {
        guard element.isNamed("ping", namespace: Namespace.ping) else { return nil }
    }

    package var element: Element {
        Element("ping", namespace: Namespace.ping)
    }
}

package import XMPPWire

/// Which JID somebody on another network has (XEP-0100 §6.3).
package enum GatewayPrompt: Payload {
    /// What to ask the user for; both empty when a client asks for it.
    case question(desc: String, prompt: String)
    /// The name that the user has written.
    case name(String)
    /// The JID that it has.
    case answer(JID)

    package static let namespace = "jabber:iq:gateway"

    package init?(_ element: Element) {
        guard element.isNamed("query", namespace: Self.namespace) else { return nil }
        let desc = element.firstChild(named: "desc", namespace: Self.namespace)?.trimmedText
        let prompt = element.firstChild(named: "prompt", namespace: Self.namespace)?.trimmedText
        let jid = element.firstChild(named: "jid", namespace: Self.namespace)?.trimmedText
        if let jid {
            guard let jid = try? JID(jid) else { return nil }
            self = .answer(jid)
        } else if desc == nil, let prompt, !prompt.isEmpty {
            self = .name(prompt)
        } else {
            self = .question(desc: desc ?? "", prompt: prompt ?? "")
        }
    }

    package var element: Element {
        func child(_ name: String, _ text: String) -> Element { Element(name, namespace: Self.namespace, text: text) }
        let children: [Element] =
            switch self {
            case .question("", ""): []
            case .question(let desc, let prompt): [child("desc", desc), child("prompt", prompt)]
            case .name(let name): [child("prompt", name)]
            case .answer(let jid): [child("jid", jid.description)]
            }
        return Element("query", namespace: Self.namespace, children: children)
    }
}

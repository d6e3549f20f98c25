/// One XML element: a stanza, a negotiation element, or a part of either.
///
/// A value: it holds no prefixes, only namespaces. `write(into:inheriting:prefixes:)` chooses the declarations.
package struct Element: Hashable, Sendable {
    /// One child of an element.
    package enum Node: Hashable, Sendable {
        /// A child element.
        case element(Element)
        /// Character data, unescaped. The parser never delivers two of these in a row, nor an empty one.
        case text(String)
    }

    /// One attribute of an element.
    ///
    /// Namespace declarations are not attributes.
    package struct Attribute: Hashable, Sendable {
        /// Local name.
        package let name: String
        /// Nil for an unprefixed attribute, which is in no namespace.
        package let namespace: String?
        /// Value, unescaped.
        package var value: String

        /// Makes an attribute; `name` must be an XML name without a colon.
        package init(name: String, namespace: String? = nil, value: String) {
            self.name = name
            self.namespace = namespace
            self.value = value
        }
    }

    /// Local name.
    package var name: String
    /// Namespace name; empty for none.
    package var namespace: String
    /// Attributes in document order.
    package var attributes: [Attribute]
    /// Children in document order.
    package var children: [Node]

    /// Makes an element; `name` and the attributes' names must be XML names without a colon.
    package init(name: String, namespace: String, attributes: [Attribute], children: [Node]) {
        self.name = name
        self.namespace = namespace
        self.attributes = attributes
        self.children = children
    }

    /// Makes an element from unprefixed attributes, of which the nil ones are left out, and child elements.
    package init(
        _ name: String,
        namespace: String,
        attributes: KeyValuePairs<String, String?> = [:],
        children: [Element] = []
    ) {
        self.name = name
        self.namespace = namespace
        self.attributes = attributes.compactMap { name, value in
            value.map { Attribute(name: name, value: $0) }
        }
        self.children = children.map { .element($0) }
    }

    /// Makes an element from unprefixed attributes, of which the nil ones are left out, and text.
    package init(
        _ name: String,
        namespace: String,
        attributes: KeyValuePairs<String, String?> = [:],
        text: String
    ) {
        self.init(name, namespace: namespace, attributes: attributes)
        if !text.isEmpty {
            self.children = [.text(text)]
        }
    }
}

extension Element {
    /// The value of an unprefixed attribute; setting nil removes it.
    package subscript(_ name: String) -> String? {
        get { self[name, namespace: nil] }
        set { self[name, namespace: nil] = newValue }
    }

    /// The value of an attribute in a namespace; setting nil removes it.
    package subscript(_ name: String, namespace namespace: String?) -> String? {
        get {
            self.attributes.first { $0.name == name && $0.namespace == namespace }?.value
        }
        set {
            let index = self.attributes.firstIndex { $0.name == name && $0.namespace == namespace }
            switch (index, newValue) {
            case (let index?, let value?): self.attributes[index].value = value
            case (let index?, nil): self.attributes.remove(at: index)
            case (nil, let value?):
                self.attributes.append(Attribute(name: name, namespace: namespace, value: value))
            case (nil, nil): break
            }
        }
    }

    /// The text directly inside this element, joined; that of child elements is left out.
    package var text: String {
        if case .text(let only)? = self.children.first, self.children.count == 1 { return only }
        return self.children.reduce(into: "") { joined, node in
            if case .text(let text) = node { joined += text }
        }
    }

    /// The same as `text`, without white space at its ends, where people who indent XML put it.
    package var trimmedText: String {
        let text = self.text
        let utf8 = text.utf8
        guard let start = utf8.firstIndex(where: { !XMLEscaping.isSpace($0) }),
            let last = utf8.lastIndex(where: { !XMLEscaping.isSpace($0) })
        else { return "" }
        return String(text[start...last])
    }

    /// The child elements, in order.
    package var elements: [Element] {
        self.children.compactMap { node in
            if case .element(let element) = node { element } else { nil }
        }
    }

    /// The first child element with this name and namespace.
    package func firstChild(named name: String, namespace: String) -> Element? {
        for case .element(let child) in self.children where child.name == name && child.namespace == namespace {
            return child
        }
        return nil
    }

    /// Whether this element has this name and namespace.
    package func isNamed(_ name: String, namespace: String) -> Bool {
        self.name == name && self.namespace == namespace
    }
}

/// A part of a configuration file that knows where it stands.
package struct SettingNode: Hashable, Sendable {
    package enum Value: Hashable, Sendable {
        /// Nothing was written, or `null` or `~`.
        case null
        /// Text. `isQuoted` tells `"true"` from `true`.
        case scalar(String, isQuoted: Bool)
        case list([SettingNode])
        /// Members in the order of the file; keys are unique.
        case map([Member])
    }

    package struct Member: Hashable, Sendable {
        package var key: String
        package var keyPosition: SourcePosition
        package var node: SettingNode

        package init(key: String, keyPosition: SourcePosition, node: SettingNode) {
            self.key = key
            self.keyPosition = keyPosition
            self.node = node
        }
    }

    package var value: Value
    package var position: SourcePosition

    package init(_ value: Value, at position: SourcePosition) {
        self.value = value
        self.position = position
    }

    /// The members of a map, or none.
    package var members: [Member] {
        if case .map(let members) = self.value { members } else { [] }
    }

    /// The elements of a list, or none.
    package var elements: [SettingNode] {
        if case .list(let elements) = self.value { elements } else { [] }
    }

    /// The text of a scalar.
    package var text: String? {
        if case .scalar(let text, _) = self.value { text } else { nil }
    }

    package var isNull: Bool {
        self.value == .null
    }

    /// The value of `key`; `nil` when this is no map, has no such key, or has nothing there.
    package subscript(key: String) -> SettingNode? {
        guard let member = self.members.first(where: { $0.key == key }), !member.node.isNull else { return nil }
        return member.node
    }

    /// What kind of thing this is, for messages.
    package var kindName: String {
        switch self.value {
        case .null: "nothing"
        case .scalar: "a single value"
        case .list: "a list"
        case .map: "a map"
        }
    }
}

/// One value of a settings tree with its path, as a plugin gets it.
package struct SettingEntry: Hashable, Sendable {
    /// The path below the settings, for example `partners[0].domain`.
    package var path: String
    /// The text; empty for a secret.
    package var value: String
    /// Where to find the value, if it is a secret.
    package var secret: SecretReference?
    /// Where the value stands in the file; a default has the position of the map that it completes.
    package var position: SourcePosition

    package init(path: String, value: String, secret: SecretReference? = nil, position: SourcePosition) {
        self.path = path
        self.value = value
        self.secret = secret
        self.position = position
    }
}

extension SettingNode {
    /// Every scalar below this node, in the order of the file.
    package func flattened() -> [SettingEntry] {
        var entries: [SettingEntry] = []
        self.flatten(at: .root, into: &entries)
        return entries
    }

    private func flatten(at path: SettingPath, into entries: inout [SettingEntry]) {
        switch self.value {
        case .null:
            break
        case .scalar(let text, _):
            entries.append(SettingEntry(path: path.description, value: text, position: self.position))
        case .list(let elements):
            for (index, element) in elements.enumerated() {
                element.flatten(at: path.appending(index: index), into: &entries)
            }
        case .map(let members):
            for member in members {
                member.node.flatten(at: path.appending(key: member.key), into: &entries)
            }
        }
    }

    /// Where `path` stands, or else the nearest part of it that exists.
    ///
    /// Gives a position to a problem that a plugin reports by path.
    package func position(of path: SettingPath) -> SourcePosition {
        var node = self
        var position = self.position
        for step in path.steps {
            switch step {
            case .key(let key):
                guard let member = node.members.first(where: { $0.key == key }) else { return position }
                node = member.node
                position = member.keyPosition
            case .index(let index):
                guard node.elements.indices.contains(index) else { return position }
                node = node.elements[index]
                position = node.position
            }
        }
        return position
    }
}

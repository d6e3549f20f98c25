internal import Yams

/// Makes settings of Yams' nodes, and refuses what a configuration may not have.
struct NodeReader {
    /// See ``DuplicateKeyEditor``.
    let duplicates: [SourcePosition: Unicode.Scalar]
    var problems: ProblemList

    mutating func read(_ node: Node, at path: SettingPath, depth: Int) -> SettingNode {
        let position = node.settingPosition
        guard self.isAllowed(node, at: path) else { return SettingNode(.null, at: position) }
        guard depth <= YAMLDocument.depthMax else {
            self.problems.error(
                "nested more than \(YAMLDocument.depthMax) deep",
                at: position,
                path: path,
                suggestion: "settings are never that deep; check the brackets and the indentation"
            )
            return SettingNode(.null, at: position)
        }
        switch node {
        case .scalar(let scalar):
            let isQuoted = scalar.style != .plain && scalar.style != .any
            let isNull = !isQuoted && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
            return SettingNode(isNull ? .null : .scalar(scalar.string, isQuoted: isQuoted), at: position)
        case .sequence(let sequence):
            var elements: [SettingNode] = []
            for element in sequence {
                elements.append(self.read(element, at: path.appending(index: elements.count), depth: depth + 1))
            }
            return SettingNode(.list(elements), at: position)
        case .mapping(let mapping):
            return SettingNode(.map(self.members(of: mapping, at: path, depth: depth)), at: position)
        case .alias:
            return SettingNode(.null, at: position)
        }
    }

    private mutating func members(of mapping: Node.Mapping, at path: SettingPath, depth: Int) -> [SettingNode.Member] {
        var members: [SettingNode.Member] = []
        var firstPositions: [String: SourcePosition] = [:]
        for (keyNode, valueNode) in mapping {
            let position = keyNode.settingPosition
            guard self.isAllowed(keyNode, at: path) else { continue }
            guard case .scalar(let scalar) = keyNode else {
                self.problems.error("a key must be a single word, not a list or map", at: position, path: path)
                continue
            }
            var key = scalar.string
            if let first = self.duplicates[position] {
                key.unicodeScalars.replaceSubrange(..<key.unicodeScalars.index(after: key.startIndex), with: [first])
            }
            let node = self.read(valueNode, at: path.appending(key: key), depth: depth + 1)
            if let first = firstPositions[key] {
                let place = path.description
                self.problems.error(
                    "duplicate key \(Shown.quoted(key))\(place.isEmpty ? "" : " in \(place)")",
                    at: position,
                    path: path.appending(key: key),
                    suggestion: "the first one is on line \(first.line)"
                )
            } else {
                firstPositions[key] = position
                members.append(SettingNode.Member(key: key, keyPosition: position, node: node))
            }
        }
        return members
    }

    private mutating func isAllowed(_ node: Node, at path: SettingPath) -> Bool {
        if node.anchor != nil {
            self.problems.error(
                "anchors ('&name') and aliases ('*name') are not supported",
                at: node.settingPosition,
                path: path,
                suggestion: "write the value out where it is needed"
            )
            return false
        }
        let tag = node.tag.rawValue
        guard ["tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"].contains(tag) else {
            self.problems.error(
                "tags are not supported, such as \(Shown.quoted(tag))",
                at: node.settingPosition,
                path: path,
                suggestion: "remove the tag"
            )
            return false
        }
        return true
    }
}

extension Node {
    fileprivate var settingPosition: SourcePosition {
        self.mark.map { SourcePosition(line: $0.line, column: $0.column) } ?? .start
    }
}

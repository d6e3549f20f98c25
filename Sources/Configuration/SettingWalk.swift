/// Walks a settings tree and a schema side by side.
struct SettingWalk {
    let base: SettingPath
    let directory: String
    var problems: ProblemList
    var entries: [SettingEntry] = []

    init(base: SettingPath, directory: String, problems: ProblemList) {
        self.base = base
        self.directory = directory
        self.problems = problems
    }

    /// - Parameter path: relative to the settings.
    mutating func visit(_ node: SettingNode, _ schema: SchemaNode, at path: SettingPath) {
        if schema.holdsKeys {
            self.visitMap(node, schema, at: path)
        } else if let element = schema.element {
            self.visitList(node, element, at: path)
        } else if let rule = schema.rule {
            self.visitLeaf(node, rule, at: path)
        } else if case .map(let members) = node.value {
            // A schema without rules: nothing may be set.
            for member in members { self.reportUnknown(member, schema, in: path) }
        }
    }

    private mutating func visitMap(_ node: SettingNode, _ schema: SchemaNode, at path: SettingPath) {
        switch node.value {
        case .map(let members):
            for member in members {
                guard let child = schema.child(member.key) else {
                    self.reportUnknown(member, schema, in: path)
                    continue
                }
                // Nothing written counts as absent.
                if member.node.isNull, schema.keys.contains(where: { $0.name == member.key }) { continue }
                self.visit(member.node, child, at: path.appending(key: member.key))
            }
            self.completeMap(schema, members, at: path, position: node.position)
        case .null:
            self.completeMap(schema, [], at: path, position: node.position)
        case .scalar, .list:
            let keys = schema.keys.map(\.name).joined(separator: ", ")
            self.reportMismatch(node, "a map\(keys.isEmpty ? "" : " (\(keys))")", at: path)
        }
    }

    /// Reports what is required and absent, and adds the defaults of what else is absent.
    private mutating func completeMap(
        _ schema: SchemaNode,
        _ members: [SettingNode.Member],
        at path: SettingPath,
        position: SourcePosition
    ) {
        for (name, child) in schema.keys {
            guard !members.contains(where: { $0.key == name && !$0.node.isNull }) else { continue }
            // `listen[]` being required asks for a list with something in it.
            let required = [child.rule, child.element?.rule].compactMap(\.self).first { $0.isRequired }
            if let required {
                let place = self.place(path)
                self.problems.error(
                    "missing key '\(name)'\(place.isEmpty ? "" : " in \(place)")",
                    at: members.first { $0.key == name }?.keyPosition ?? position,
                    path: self.full(path.appending(key: name)),
                    suggestion: required.help.isEmpty ? nil : required.help
                )
            } else {
                self.addDefaults(child, at: path.appending(key: name), position: position)
            }
        }
    }

    private mutating func addDefaults(_ schema: SchemaNode, at path: SettingPath, position: SourcePosition) {
        if let rule = schema.rule, let value = rule.defaultValue {
            self.addEntry(value, rule.type, at: path, position: position)
        }
        if let rule = schema.element?.rule, let value = rule.defaultValue {
            self.addEntry(value, rule.type, at: path.appending(index: 0), position: position)
        }
        for (name, child) in schema.keys {
            self.addDefaults(child, at: path.appending(key: name), position: position)
        }
    }

    private mutating func visitList(_ node: SettingNode, _ element: SchemaNode, at path: SettingPath) {
        switch node.value {
        case .list(let elements):
            if elements.isEmpty, element.rule?.isRequired == true {
                self.problems.error("\(self.full(path)) is empty", at: node.position, path: self.full(path))
            }
            for (index, child) in elements.enumerated() {
                self.visit(child, element, at: path.appending(index: index))
            }
        case .null:
            break
        case .scalar:
            self.reportMismatch(node, "a list", at: path, suggestion: "put it in brackets: [ ]")
        case .map:
            self.reportMismatch(node, "a list", at: path, suggestion: "begin each element with '- '")
        }
    }

    private mutating func visitLeaf(_ node: SettingNode, _ rule: SettingRule, at path: SettingPath) {
        switch (node.value, rule.type) {
        case (_, .anything), (.list, .list), (.map, .map), (.null, .list), (.null, .map):
            self.entries += node.flattened().map { entry in
                var entry = entry
                entry.path = Self.join(path.description, entry.path)
                return entry
            }
        case (.scalar(let text, _), _):
            do {
                try rule.type.check(text)
                self.addEntry(text, rule.type, at: path, position: node.position)
            } catch {
                self.problems.error(
                    "\(self.full(path)) \(error.message)",
                    at: node.position,
                    path: self.full(path),
                    suggestion: error.suggestion
                )
            }
        case (.null, _), (.list, _), (.map, _):
            self.reportMismatch(node, rule.type.expectation, at: path)
        }
    }

    private mutating func addEntry(_ text: String, _ type: SettingType, at path: SettingPath, position: SourcePosition)
    {
        var entry = SettingEntry(path: path.description, value: type.normalised(text), position: position)
        if type == .secret, let reference = SecretReference(parsing: text, in: self.directory) {
            entry.value = ""
            entry.secret = reference
        }
        self.entries.append(entry)
    }

    private mutating func reportUnknown(_ member: SettingNode.Member, _ schema: SchemaNode, in path: SettingPath) {
        let place = self.place(path)
        // The search for a near word is dear, and a full list would not show what it finds.
        let suggestion =
            self.problems.isFull ? nil : Suggestion.forUnknown(member.key, among: schema.keys.map(\.name))
        self.problems.error(
            "unknown key \(Shown.quoted(member.key))\(place.isEmpty ? "" : " in \(place)")",
            at: member.keyPosition,
            path: self.full(path.appending(key: member.key)),
            suggestion: suggestion
        )
    }

    private mutating func reportMismatch(
        _ node: SettingNode,
        _ expectation: String,
        at path: SettingPath,
        suggestion: String? = nil
    ) {
        let subject = self.place(path)
        self.problems.error(
            "\(subject.isEmpty ? "the file" : subject) must be \(expectation), not \(node.kindName)",
            at: node.position,
            path: self.full(path),
            suggestion: suggestion
        )
    }

    private func full(_ path: SettingPath) -> SettingPath {
        SettingPath(self.base.steps + path.steps)
    }

    private func place(_ path: SettingPath) -> String {
        self.full(path).description
    }

    private static func join(_ path: String, _ rest: String) -> String {
        guard !path.isEmpty, !rest.isEmpty, !rest.hasPrefix("[") else { return path + rest }
        return "\(path).\(rest)"
    }
}

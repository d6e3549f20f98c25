/// Which settings a rule is about: `listen[]`, `partners[].domain`, `domains.*.users`.
///
/// `[]` stands for every element of a list, `*` for every key of a map.
package struct SettingPattern: Hashable, Sendable, CustomStringConvertible {
    package enum Step: Hashable, Sendable {
        case key(String)
        case anyKey
        case anyElement
    }

    /// Most steps of a pattern.
    package static let stepsMax = 16

    package let steps: [Step]

    /// Reads a pattern.
    ///
    /// - Returns: `nil` when `text` is no pattern: keys are letters, digits, `_` and `-`, joined by dots.
    package init?(parsing text: String) {
        var steps: [Step] = []
        for part in text.split(separator: ".", omittingEmptySubsequences: false) {
            var word = part
            var lists = 0
            while word.hasSuffix("[]") {
                word = word.dropLast(2)
                lists += 1
            }
            guard !word.isEmpty, word == "*" || word.allSatisfy(SettingPath.isWordCharacter) else { return nil }
            steps.append(word == "*" ? .anyKey : .key(String(word)))
            steps += Array(repeating: .anyElement, count: lists)
            guard steps.count <= Self.stepsMax else { return nil }
        }
        self.steps = steps
    }

    package var description: String {
        self.steps.reduce(into: "") { text, step in
            switch step {
            case .key(let key): text += text.isEmpty ? key : ".\(key)"
            case .anyKey: text += text.isEmpty ? "*" : ".*"
            case .anyElement: text += "[]"
            }
        }
    }
}

/// What one setting, or each of a kind, may hold.
package struct SettingRule: Hashable, Sendable {
    /// See ``SettingPattern``.
    package var pattern: String
    package var type: SettingType
    /// Whether it must be there wherever the map or list around it is.
    package var isRequired: Bool
    /// What holds when it is absent, as it would be written.
    package var defaultValue: String?
    /// One sentence for the operator.
    package var help: String

    package init(
        _ pattern: String,
        _ type: SettingType,
        isRequired: Bool = false,
        defaultValue: String? = nil,
        help: String = ""
    ) {
        self.pattern = pattern
        self.type = type
        self.isRequired = isRequired
        self.defaultValue = defaultValue
        self.help = help
    }
}

/// Why a set of rules makes no sense; the fault of whoever wrote the rules, not of the operator.
package enum SchemaError: Error, Hashable, Sendable, CustomStringConvertible {
    case tooManyRules(limit: Int)
    case badPattern(String)
    case duplicateRule(pattern: String)
    /// The setting at `pattern` would have to be two of one value, a list and a map.
    case conflictingRules(pattern: String)
    /// A choice of nothing.
    case emptyChoice(pattern: String)
    case badDefault(pattern: String, value: String)

    package var description: String {
        switch self {
        case .tooManyRules(let limit): "the schema has more than \(limit) rules"
        case .badPattern(let pattern): "'\(pattern)' is not a setting's pattern, such as 'partners[].domain'"
        case .duplicateRule(let pattern): "the schema has two rules for '\(pattern)'"
        case .conflictingRules(let pattern):
            "the schema's rules for '\(pattern)' contradict each other: one value, list or map?"
        case .emptyChoice(let pattern): "the schema's choice for '\(pattern)' has no words"
        case .badDefault(let pattern, let value): "the schema's default '\(value)' for '\(pattern)' breaks its own rule"
        }
    }
}

/// The settings that somebody understands: a plugin's, or the router's own.
package struct SettingSchema: Sendable {
    package static let rulesMax = 1024

    package let rules: [SettingRule]
    let root: SchemaNode

    /// Makes a schema of rules, or says why they make no sense.
    package init(_ rules: [SettingRule]) throws(SchemaError) {
        guard rules.count <= Self.rulesMax else { throw .tooManyRules(limit: Self.rulesMax) }
        var seen: Set<String> = []
        var patterns: [(steps: ArraySlice<SettingPattern.Step>, rule: SettingRule)] = []
        for rule in rules {
            guard let pattern = SettingPattern(parsing: rule.pattern) else { throw .badPattern(rule.pattern) }
            guard seen.insert(rule.pattern).inserted else { throw .duplicateRule(pattern: rule.pattern) }
            try Self.checkType(of: rule)
            patterns.append((pattern.steps[...], rule))
        }
        self.rules = rules
        self.root = try SchemaNode(patterns, pattern: "")
    }

    private static func checkType(of rule: SettingRule) throws(SchemaError) {
        if case .choice(let words) = rule.type, words.isEmpty {
            throw .emptyChoice(pattern: rule.pattern)
        }
        guard let value = rule.defaultValue else { return }
        do {
            try rule.type.check(value)
        } catch {
            throw .badDefault(pattern: rule.pattern, value: value)
        }
    }
}

/// One node of the tree that the patterns of a schema form.
final class SchemaNode: Sendable {
    /// The rule for this very node, if there is one.
    let rule: SettingRule?
    /// Named keys in the order of the rules.
    let keys: [(name: String, node: SchemaNode)]
    /// What any other key holds.
    let anyKey: SchemaNode?
    /// What each element of the list holds.
    let element: SchemaNode?

    init(
        _ patterns: [(steps: ArraySlice<SettingPattern.Step>, rule: SettingRule)],
        pattern: String
    ) throws(SchemaError) {
        var order: [SettingPattern.Step] = []
        var groups: [SettingPattern.Step: [(steps: ArraySlice<SettingPattern.Step>, rule: SettingRule)]] = [:]
        var rule: SettingRule?
        for entry in patterns {
            guard let first = entry.steps.first else {
                rule = entry.rule
                continue
            }
            if groups[first] == nil { order.append(first) }
            groups[first, default: []].append((entry.steps.dropFirst(), entry.rule))
        }

        var keys: [(name: String, node: SchemaNode)] = []
        var anyKey: SchemaNode?
        var element: SchemaNode?
        for step in order {
            let rules = groups[step] ?? []
            switch step {
            case .key(let name):
                let path = pattern.isEmpty ? name : "\(pattern).\(name)"
                keys.append((name, try SchemaNode(rules, pattern: path)))
            case .anyKey: anyKey = try SchemaNode(rules, pattern: pattern.isEmpty ? "*" : "\(pattern).*")
            case .anyElement: element = try SchemaNode(rules, pattern: "\(pattern)[]")
            }
        }

        let holdsKeys = !keys.isEmpty || anyKey != nil
        let fits =
            switch rule?.type {
            case nil: !(holdsKeys && element != nil)
            case .map: element == nil
            case .list: !holdsKeys
            default: !holdsKeys && element == nil
            }
        guard fits else { throw .conflictingRules(pattern: pattern) }
        self.rule = rule
        self.keys = keys
        self.anyKey = anyKey
        self.element = element
    }

    /// Whether a map is expected here because there are rules for its keys.
    var holdsKeys: Bool { !self.keys.isEmpty || self.anyKey != nil }

    func child(_ key: String) -> SchemaNode? {
        self.keys.first { $0.name == key }?.node ?? self.anyKey
    }
}

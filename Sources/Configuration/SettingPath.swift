/// The way from the root of a settings tree to one node, for example `partners[0].tls`.
///
/// A key that is not a plain word is written in brackets and quotes: `domains["a.test"].users`.
package struct SettingPath: Hashable, Sendable {
    package enum Step: Hashable, Sendable {
        /// A key of a map.
        case key(String)
        /// An element of a list, from 0.
        case index(Int)
    }

    /// Steps read from text; a plugin that reports a longer path is refused.
    package static let stepsMax = 64

    package var steps: [Step]

    package init(_ steps: [Step] = []) {
        self.steps = steps
    }

    /// The tree itself.
    package static let root = SettingPath()

    package func appending(key: String) -> SettingPath {
        SettingPath(self.steps + [.key(key)])
    }

    package func appending(index: Int) -> SettingPath {
        SettingPath(self.steps + [.index(index)])
    }

    /// Reads the form that ``description`` writes.
    ///
    /// - Returns: `nil` when the text is not such a path.
    package init?(parsing text: String) {
        var steps: [Step] = []
        var rest = Substring(text)
        while !rest.isEmpty {
            guard steps.count < Self.stepsMax, let step = Self.takeStep(&rest, isFirst: steps.isEmpty) else {
                return nil
            }
            steps.append(step)
        }
        self.init(steps)
    }

    private static func takeStep(_ rest: inout Substring, isFirst: Bool) -> Step? {
        if rest.hasPrefix("[\"") {
            return Self.takeQuotedKey(&rest)
        }
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            let digits = rest[rest.index(after: rest.startIndex)..<end]
            guard let index = Int(digits), index >= 0, digits.first != "+" else { return nil }
            rest = rest[rest.index(after: end)...]
            return .index(index)
        }
        if !isFirst {
            guard rest.first == "." else { return nil }
            rest.removeFirst()
        }
        let word = rest.prefix(while: Self.isWordCharacter)
        guard !word.isEmpty else { return nil }
        rest = rest[word.endIndex...]
        return .key(String(word))
    }

    private static func takeQuotedKey(_ rest: inout Substring) -> Step? {
        rest.removeFirst(2)
        var key = ""
        while let character = rest.popFirst() {
            switch character {
            case "\"":
                guard rest.popFirst() == "]" else { return nil }
                return .key(key)
            case "\\":
                guard let escaped = rest.popFirst() else { return nil }
                key.append(escaped)
            default:
                key.append(character)
            }
        }
        return nil
    }

    static func isWordCharacter(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_" || character == "-"
    }
}

extension SettingPath: CustomStringConvertible {
    package var description: String {
        var text = ""
        for step in self.steps {
            switch step {
            case .key(let key) where !key.isEmpty && key.allSatisfy(Self.isWordCharacter):
                text += text.isEmpty ? key : ".\(key)"
            case .key(let key):
                text += "[\"\(Self.escaped(key))\"]"
            case .index(let index):
                text += "[\(index)]"
            }
        }
        return text
    }

    /// Escapes the two characters that end or escape a quoted key, and shows control characters as `?`.
    private static func escaped(_ key: String) -> String {
        var text = ""
        for scalar in key.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                text += "\\\(scalar)"
            case _ where scalar.properties.generalCategory == .control:
                text += "?"
            default:
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

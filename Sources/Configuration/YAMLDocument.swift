internal import Yams

/// Turns YAML text into a ``SettingNode``, within limits.
///
/// A configuration uses the plain part of YAML: maps, lists and values. Anchors, aliases and tags are refused;
/// aliases of aliases can make a small file grow beyond any memory.
enum YAMLDocument {
    /// Deepest nesting of maps and lists.
    static let depthMax = 32
    /// Aliases that may be seen before the text is not even parsed; see ``hasAliasBomb(_:)``.
    static let aliasesMax = 8
    /// Duplicate keys that are told apart; past them the rest of the file is not read.
    static let duplicatesMax = 16

    /// Reads `text`.
    ///
    /// - Returns: the tree, as far as it could be made; `nil` when nothing can be read or the file is empty.
    static func parse(_ text: String, _ problems: inout ProblemList) -> SettingNode? {
        if let position = self.hasAliasBomb(text) {
            problems.error(
                "anchors ('&name') and aliases ('*name') are not supported",
                at: position,
                suggestion: "write the value out where it is needed"
            )
            return nil
        }
        var editor = DuplicateKeyEditor(text)
        while true {
            do {
                // The parser holds the anchors that its nodes refer to weakly, so it must outlive the walk.
                let parser = try Parser(yaml: editor.text, resolver: .basic, encoding: .utf8)
                return try withExtendedLifetime(parser) {
                    guard let root = try parser.singleRoot() else { return nil }
                    var reader = NodeReader(duplicates: editor.renamed, problems: problems)
                    let node = reader.read(root, at: .root, depth: 0)
                    problems = reader.problems
                    return node
                }
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                let position = SourcePosition(line: context.mark.line, column: context.mark.column)
                guard
                    editor.renamed.count < Self.duplicatesMax,
                    editor.rename(names.first ?? "", at: position)
                else {
                    let keys = names.map(Shown.quoted).joined(separator: ", ")
                    problems.error("duplicate key \(keys)", at: position, suggestion: "keep one of them")
                    return nil
                }
            } catch {
                self.report(error, in: editor.text, &problems)
                return nil
            }
        }
    }

    /// Looks for more aliases than a harmless file has, without understanding YAML.
    ///
    /// While Yams composes nodes it hashes every key; a key made of aliases of aliases would take for ever before
    /// any node could be looked at. Words that look like aliases are counted wherever they stand, so that none
    /// can hide; it takes more than ``aliasesMax`` of them and an anchor to be refused here. Fewer are refused
    /// with their exact place by ``NodeReader``.
    ///
    /// - Returns: the first word that looks like an anchor.
    private static func hasAliasBomb(_ text: String) -> SourcePosition? {
        var aliases = 0
        var anchor: SourcePosition?
        var position = SourcePosition.start
        var previous: Unicode.Scalar = "\n"
        for scalar in text.unicodeScalars {
            if previous == "*" || previous == "&", Self.canBeginName(scalar) {
                if previous == "*" {
                    aliases += 1
                } else if anchor == nil {
                    anchor = SourcePosition(line: position.line, column: position.column - 1)
                }
            }
            if scalar == "\n" {
                position = SourcePosition(line: position.line + 1, column: 1)
            } else {
                position.column += 1
            }
            previous = scalar
        }
        return aliases > Self.aliasesMax ? anchor : nil
    }

    private static func canBeginName(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_" || scalar == "-"
    }

    private static func report(_ error: any Error, in text: String, _ problems: inout ProblemList) {
        guard let error = error as? YamlError else {
            problems.error("the YAML cannot be read: \(error)", at: .start)
            return
        }
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            // The description of the error would quote the line, which may hold a secret.
            let start = context.map { " (\($0.text) from line \($0.mark.line))" } ?? ""
            let position = SourcePosition(line: mark.line, column: mark.column)
            let isTab =
                DuplicateKeyEditor.index(of: position, in: text).map { text.unicodeScalars[$0] == "\t" } ?? false
            problems.error(
                "YAML: \(problem)\(start)",
                at: position,
                suggestion: isTab
                    ? "indent with spaces, not tabs" : self.advice(for: problem, context: context?.text ?? "")
            )
        case .reader(let problem, let offset, _, _):
            problems.error(
                "YAML: \(problem)",
                at: self.position(ofCharacter: offset ?? 0, in: text),
                suggestion: "remove the character, or write it as an escape in double quotes"
            )
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded, .duplicatedKeysInMapping:
            problems.error("the YAML cannot be read", at: .start)
        }
    }

    private static func advice(for problem: String, context: String) -> String? {
        if context.contains("alias") || problem.contains("alias") {
            return "put a value that begins with '*' in quotes"
        }
        if context.contains("anchor") {
            return "put a value that begins with '&' in quotes"
        }
        if problem.contains("cannot start any token") {
            return "put a value that begins with this character in quotes"
        }
        if problem.contains("mapping values are not allowed") {
            return "put a value that holds ': ' in quotes, and check the indentation"
        }
        if problem.contains("another document") {
            return "remove the '---' line"
        }
        if problem.contains("nesting level") {
            return "nest at most \(Self.depthMax) deep"
        }
        return nil
    }

    private static func position(ofCharacter offset: Int, in text: String) -> SourcePosition {
        let before = text.prefix(offset)
        let line = before.split(separator: "\n", omittingEmptySubsequences: false)
        return SourcePosition(line: max(1, line.count), column: (line.last?.unicodeScalars.count ?? 0) + 1)
    }
}

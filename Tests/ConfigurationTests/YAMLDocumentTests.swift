import Testing

@testable import Configuration

/// The limits on YAML.
@Suite struct YAMLDocumentTests {
    private func read(_ text: String) -> (node: SettingNode?, messages: [String]) {
        var problems = ProblemList(file: "p.yaml")
        let node = YAMLDocument.parse(text, &problems)
        return (node, problems.sorted().map(\.message))
    }

    @Test(arguments: [(YAMLDocument.depthMax, true), (YAMLDocument.depthMax + 1, false)])
    func nestingHasALimit(depth: Int, fits: Bool) {
        let text = String(repeating: "[", count: depth) + "x" + String(repeating: "]", count: depth)
        let (node, messages) = self.read(text)
        #expect(node != nil)
        #expect(messages == (fits ? [] : ["nested more than 32 deep"]))
    }

    @Test(.timeLimit(.minutes(1)))
    func nestingPastWhatTheParserTakesIsAProblemToo() {
        for bracket in ["[", "{", "- ", "? "] {
            let (node, messages) = self.read(String(repeating: bracket, count: 500_000))
            #expect(node == nil)
            #expect(messages.count == 1)
        }
    }

    @Test("Aliases of aliases are refused before they grow", .timeLimit(.minutes(1)))
    func aliasBomb() {
        var text = "a0: &a0 [x, x]\n"
        for level in 1...40 { text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        text += "? *a40\n: x\n"
        let (node, messages) = self.read(text)
        #expect(node == nil)
        #expect(messages == ["anchors ('&name') and aliases ('*name') are not supported"])
    }

    @Test func starsInTextAreNoAliases() {
        let stars = (0..<20).map { "# *word\($0)*" }.joined(separator: "\n")
        let (node, messages) = self.read("\(stars)\nkey: 'some *text* & more'")
        #expect(node?["key"]?.text == "some *text* & more")
        #expect(messages == [])
    }

    @Test(arguments: [(YAMLDocument.duplicatesMax, true), (YAMLDocument.duplicatesMax + 1, false)])
    func duplicatesAreToldApartUpToALimit(count: Int, fits: Bool) {
        let text = (0..<count).map { "key\($0): 1\nkey\($0): 2\n" }.joined() + "last: 3\n"
        let (node, messages) = self.read(text)
        #expect(node?["last"]?.text == (fits ? "3" : nil))
        #expect(messages.count == (fits ? count : 1))
    }

    @Test func textKnowsWhetherItWasQuotedAndWhatIsNothing() {
        let (node, messages) = self.read("[true, 'true', ~, null, '', \"~\"]\n")
        #expect(messages == [])
        #expect(
            node?.elements.map(\.value) == [
                .scalar("true", isQuoted: false), .scalar("true", isQuoted: true), .null, .null,
                .scalar("", isQuoted: true), .scalar("~", isQuoted: true),
            ]
        )
    }

    @Test func columnsCountUnicodeScalars() {
        let (node, _) = self.read("é: { ü: 1 }")
        #expect(node?["é"]?["ü"]?.position == SourcePosition(line: 1, column: 9))
    }

    @Test func aSyntaxErrorDoesNotQuoteTheLine() {
        let (_, messages) = self.read("secret: hunter2: x\n")
        #expect(messages == ["YAML: mapping values are not allowed in this context"])
    }

    @Test func problemsPastTheLimitAreCounted() {
        let text = (0..<ProblemList.problemsMax + 3).map { "k\($0): 1\n" }.joined()
        let problems = ConfigurationLoader.read(text, file: "p.yaml", directory: "/").problems
        #expect(problems.count == ProblemList.problemsMax + 1)
        // The three keys, and the warning that there are no providers.
        #expect(problems.last?.message == "4 more problems are not shown")
        #expect(problems.last?.severity == .error)
    }
}

import Testing

@testable import Configuration

@Suite struct SettingPathTests {
    @Test(arguments: ["", "a", "a.b-c", "partners[0].tls", "a[1][2].b", #"domains["a.test"].users"#, #"["a\"b\\"]"#])
    func aPathIsWrittenAsItWasRead(text: String) throws {
        let path = try #require(SettingPath(parsing: text))
        #expect(path.description == text)
    }

    @Test(arguments: [
        ".a", "a.", "a..b", "a[", "a[x]", "a[-1]", "a[+1]", "a b", #"["a"#, #"["a"b"#, "a[99999999999999999999]",
    ])
    func whatIsNoPathIsRefused(text: String) {
        #expect(SettingPath(parsing: text) == nil)
    }

    @Test func aPathHasALimit() {
        let longest = String(repeating: "[0]", count: SettingPath.stepsMax)
        #expect(SettingPath(parsing: longest)?.steps.count == SettingPath.stepsMax)
        #expect(SettingPath(parsing: longest + "[0]") == nil)
    }

    @Test func aPluginsPathIsFoundInTheFile() throws {
        var problems = ProblemList(file: "p.yaml")
        let text = "partners:\n  - domain: b.test\n    tls: x\n"
        let node = try #require(YAMLDocument.parse(text, &problems))
        func line(_ path: String) throws -> SourcePosition {
            node.position(of: try #require(SettingPath(parsing: path)))
        }
        #expect(try line("partners[0].tls") == SourcePosition(line: 3, column: 5))
        #expect(try line("partners[0].port") == SourcePosition(line: 2, column: 5))
        #expect(try line("partners[7]") == SourcePosition(line: 1, column: 1))
        #expect(try line("nothing.at.all") == SourcePosition(line: 1, column: 1))
    }
}

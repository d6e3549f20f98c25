import Foundation
import Testing

@testable import Configuration

@Suite struct SecretTests {
    @Test func aFileIsASecretWithoutItsLastNewline() throws {
        let directory = try TemporaryDirectory()
        try directory.write("hunter2\n", to: "secret")
        let reference = try #require(SecretReference(parsing: "file:secret", in: directory.path))
        #expect(try reference.resolve().text == "hunter2")
    }

    @Test func anEnvironmentVariableIsASecret() throws {
        let path = try #require(ProcessInfo.processInfo.environment["PATH"])
        #expect(try SecretReference.environment(name: "PATH").resolve().text == path)
        #expect(throws: SecretError.notSet(name: "PLUGBOARD_NOT_SET")) {
            try SecretReference.environment(name: "PLUGBOARD_NOT_SET").resolve()
        }
    }

    @Test(arguments: ["hunter2", "env:", "env:1A", "env:A B", "file:", "File:x", "file:a\0b"])
    func whatIsNoReferenceIsRefused(text: String) {
        #expect(SecretReference(parsing: text, in: "/") == nil)
    }

    @Test(arguments: [(0, true), (1, false)])
    func aSecretHasALimit(excess: Int, fits: Bool) throws {
        let directory = try TemporaryDirectory()
        let text = String(repeating: "x", count: SecretReference.secretSizeMax + excess)
        let reference = SecretReference.file(path: try directory.write(text, to: "secret"))
        var error: SecretError?
        do throws(SecretError) { _ = try reference.resolve() } catch let thrown { error = thrown }
        #expect(error == (fits ? nil : .tooLarge(reference)))
    }

    @Test func anEmptyOrMissingFileIsNoSecret() throws {
        let directory = try TemporaryDirectory()
        let empty = SecretReference.file(path: try directory.write("\n", to: "empty"))
        #expect(throws: SecretError.empty(empty)) { try empty.resolve() }
        let missing = SecretReference.file(path: "\(directory.path)/missing")
        #expect(throws: SecretError.unreadable(.system(path: "\(directory.path)/missing", code: ENOENT))) {
            try missing.resolve()
        }
    }

    @Test func aSecretPrintsAsAPlaceholder() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), dumped, "\([secret])", "\(Optional(secret) as Any)"] {
            #expect(!text.contains("hunter2"))
            #expect(text.contains("(secret)"))
        }
    }

    @Test func aSecretThatStandsInTheFileIsNotPrinted() throws {
        let schema = try SettingSchema([SettingRule("password", .secret)])
        let text = """
            tls: { identities: { a.test: { certificate: /etc/passwd, key: hunter2 } } }
            providers: { x: { plugin: X, settings: { password: hunter2 } } }
            """
        let (loaded, problems) = ConfigurationLoader.read(text, file: "p.yaml", directory: "/")
        #expect(loaded == nil)
        #expect(
            problems.map(\.description) == [
                "p.yaml:1:63: error: tls.identities[\"a.test\"].key must refer to a secret, not hold it; "
                    + "write 'env:NAME' or 'file:PATH'"
            ]
        )
        var list = ProblemList(file: "p.yaml")
        let settings = try #require(YAMLDocument.parse("password: hunter2", &list))
        let report = schema.check(settings, at: .root, file: "p.yaml", directory: "/")
        #expect(report.problems.map(\.message) == ["password must refer to a secret, not hold it"])
        #expect(report.entries == [])
    }

    @Test func secretsAreFetchedInPlace() throws {
        let directory = try TemporaryDirectory()
        try directory.write("hunter2", to: "secret")
        let schema = try SettingSchema([
            SettingRule("user", .string), SettingRule("password", .secret), SettingRule("other", .secret),
        ])
        var list = ProblemList(file: "p.yaml")
        let settings = try #require(
            YAMLDocument.parse("password: file:secret\nother: file:missing\nuser: alice", &list)
        )
        let base = SettingPath([.key("settings")])
        let report = schema.check(settings, at: base, file: "p.yaml", directory: directory.path)
        #expect(report.problems == [])
        #expect(!"\(report)".contains("hunter2"))
        let (values, problems) = report.resolve()
        #expect(values.map { "\($0.path)=\($0.value)" } == ["password=hunter2", "user=alice"])
        #expect(
            problems.map(\.description) == [
                "p.yaml:2:8: error: settings.other: cannot read '\(directory.path)/missing': No such file or directory"
            ]
        )
    }
}

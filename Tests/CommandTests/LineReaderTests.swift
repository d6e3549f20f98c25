import Foundation
import Testing

@Suite(.timeLimit(.minutes(1))) struct LineReaderTests {
    @Test("A program that says nothing is an issue, and does not hold up the tests")
    func silence() {
        let pipe = Pipe()
        let reader = LineReader(pipe.fileHandleForReading, waitMax: 20)
        withKnownIssue { #expect(reader.line { _ in true } == nil) }
        withKnownIssue { #expect(reader.readToEnd().isEmpty) }
        withExtendedLifetime(pipe) {}
    }

    @Test("So is one that says much, and never what was waited for")
    func chatter() throws {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/yes")
        process.standardOutput = pipe
        try process.run()
        defer { process.terminate() }
        let reader = LineReader(pipe.fileHandleForReading, waitMax: 20)
        withKnownIssue { #expect(reader.line { $0 == "n" } == nil) }
        withKnownIssue { #expect(!reader.readToEnd().isEmpty) }
    }

    @Test("What comes in time is read to its end")
    func end() throws {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data("one\ntwo\nthree".utf8))
        try pipe.fileHandleForWriting.close()
        let reader = LineReader(pipe.fileHandleForReading)
        #expect(reader.line { $0 == "two" } == "two")
        #expect(reader.readToEnd() == Data("three".utf8))
    }
}

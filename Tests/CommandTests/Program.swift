import Foundation
import Testing

/// The built `plugboard`, which lies beside the test program.
struct Program {
    /// What one run left.
    struct Result {
        var status: Int32
        var output: String
        var errors: String
    }

    let folder: TemporaryFolder

    static let buildFolder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent()

    /// Runs it to its end in the test's folder.
    func run(_ arguments: String...) throws -> Result {
        try run(arguments)
    }

    /// The same.
    func run(_ arguments: [String]) throws -> Result {
        let running = try start(arguments)
        let output = String(decoding: running.output.readToEnd(), as: UTF8.self)
        running.process.waitUntilExit()
        let errors = (try? String(contentsOf: running.errorFile, encoding: .utf8)) ?? ""
        return Result(status: running.process.terminationStatus, output: output, errors: errors)
    }

    /// A program that runs on.
    struct Running {
        var process: Process
        var output: LineReader
        var errorFile: URL
    }

    /// Starts it in the test's folder.
    func start(_ arguments: [String], readErrors: Bool = false) throws -> Running {
        let process = Process()
        process.executableURL = Self.buildFolder.appendingPathComponent("plugboard")
        process.arguments = arguments
        process.currentDirectoryURL = folder.url
        process.standardInput = FileHandle.nullDevice
        let pipe = Pipe()
        let errorFile = folder.url.appendingPathComponent("errors-\(UUID().uuidString)")
        try Data().write(to: errorFile)
        let errors = try FileHandle(forWritingTo: errorFile)
        process.standardOutput = readErrors ? errors : pipe
        process.standardError = readErrors ? pipe : errors
        try process.run()
        return Running(process: process, output: LineReader(pipe.fileHandleForReading), errorFile: errorFile)
    }
}

/// Reads lines as they come.
final class LineReader {
    private let handle: FileHandle
    private var buffer = Data()

    /// How long a program may say nothing while a test waits for a line; a test that waits on would never end.
    private static let silenceMax = 45_000  // ms

    init(_ handle: FileHandle) {
        self.handle = handle
    }

    /// The next line for which `matches` holds; nil if the program ends before.
    func line(where matches: (String) -> Bool) -> String? {
        while true {
            while let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffer[..<end], as: UTF8.self)
                buffer = Data(buffer[(end + 1)...])
                if matches(line) { return line }
            }
            guard let more = nextBytes() else { return nil }
            buffer.append(more)
        }
    }

    /// What comes next; nil at the end, or if nothing comes.
    private func nextBytes() -> Data? {
        var waiting = pollfd(fd: handle.fileDescriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, Int32(Self.silenceMax)) == 1 else {
            Issue.record(
                "the program wrote no line that was waited for; so far: \(String(decoding: buffer, as: UTF8.self))"
            )
            return nil
        }
        let more = handle.availableData
        return more.isEmpty ? nil : more
    }

    func readToEnd() -> Data {
        while true {
            let more = handle.availableData
            if more.isEmpty { return buffer }
            buffer.append(more)
        }
    }
}

/// A folder that goes with the test.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("plugboard-command-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: url.appendingPathComponent(name))
    }
}

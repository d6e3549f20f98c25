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
        let status = running.waitUntilExit()
        let errors = (try? String(contentsOf: running.errorFile, encoding: .utf8)) ?? ""
        return Result(status: status, output: output, errors: errors)
    }

    /// A program that runs on.
    struct Running {
        var process: Process
        var output: LineReader
        var errorFile: URL
        fileprivate let hasEnded: DispatchSemaphore

        /// Waits until it has ended; kills it, which is an issue, if that takes more than 45 s.
        ///
        /// - Returns: its status.
        @discardableResult
        func waitUntilExit() -> Int32 {
            if hasEnded.wait(timeout: .now() + .seconds(45)) == .timedOut {
                Issue.record("the program did not end; it is killed")
                kill(process.processIdentifier, SIGKILL)
                hasEnded.wait()
            }
            // For who waits once more.
            hasEnded.signal()
            return process.terminationStatus
        }
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
        let hasEnded = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in hasEnded.signal() }
        try process.run()
        let output = LineReader(pipe.fileHandleForReading)
        return Running(process: process, output: output, errorFile: errorFile, hasEnded: hasEnded)
    }
}

/// Reads lines as they come, and no longer than ``waitMax``: a test that waits on would never end.
final class LineReader {
    private let handle: FileHandle
    private var buffer = Data()

    /// How long one call waits, in ms.
    private let waitMax: Int

    init(_ handle: FileHandle, waitMax: Int = 45_000) {
        self.handle = handle
        self.waitMax = waitMax
    }

    /// The next line for which `matches` holds; nil if the program ends before, or none comes in time.
    func line(where matches: (String) -> Bool) -> String? {
        let deadline = ContinuousClock.now + .milliseconds(waitMax)
        while ContinuousClock.now < deadline {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffer[..<end], as: UTF8.self)
                buffer = Data(buffer[(end + 1)...])
                if matches(line) { return line }
            } else if hasInput(until: deadline) {
                guard let more = nextBytes() else { return nil }
                buffer.append(more)
            }
        }
        report("the line that was waited for")
        return nil
    }

    /// What comes until the program ends, or the time is over.
    func readToEnd() -> Data {
        let deadline = ContinuousClock.now + .milliseconds(waitMax)
        while ContinuousClock.now < deadline, hasInput(until: deadline) {
            guard let more = nextBytes() else { return buffer }
            buffer.append(more)
        }
        report("the end of the output")
        return buffer
    }

    /// Whether there is something to read, or the end, before the deadline.
    private func hasInput(until deadline: ContinuousClock.Instant) -> Bool {
        let left = max(0, Int32((deadline - ContinuousClock.now) / .milliseconds(1)))
        var waiting = pollfd(fd: handle.fileDescriptor, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, left) == 1
    }

    /// What is there; nil at the end.
    private func nextBytes() -> Data? {
        let more = handle.availableData
        return more.isEmpty ? nil : more
    }

    private func report(_ missing: String) {
        let text = String(decoding: buffer.prefix(2000), as: UTF8.self)
        Issue.record("\(missing) did not come within \(waitMax) ms; unread so far: \(text)")
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

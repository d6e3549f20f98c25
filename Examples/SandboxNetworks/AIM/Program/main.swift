import AIMSandbox
import Glibc
import OSCARWire
import UnixSignals

/// Runs the sandbox until it is told to end: `SandboxAIM [PORT] [NAME:PASSWORD ...]`.
func run() async throws {
    var arguments = CommandLine.arguments.dropFirst()
    var port = 5_190
    if let first = arguments.first, let number = UInt16(first) {
        port = Int(number)
        arguments = arguments.dropFirst()
    }
    let pairs = arguments.isEmpty ? ["Alice Test:alicepw", "Bob Test:bobpw"] : Array(arguments)
    let accounts = try pairs.map { pair in
        let parts = pair.split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { throw UsageError(argument: pair) }
        return Account(name: try ScreenName(String(parts[0])), password: String(parts[1]))
    }
    let server = try await SandboxServer.start(port: port, accounts: accounts)
    print(
        "An AIM network listens at 127.0.0.1:\(server.port), with \(accounts.map(\.name.display).joined(separator: ", "))"
    )
    print("and the bots EchoBot and ComeAndGo. Ctrl-C ends it.")
    for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { break }
    try await server.stop()
}

/// An argument that is no account.
struct UsageError: Error, CustomStringConvertible {
    let argument: String
    var description: String { "\(self.argument) is no account: give NAME:PASSWORD." }
}

do {
    try await run()
} catch {
    print("The sandbox cannot run: \(error)")
    exit(1)
}

// Two organisations, each with a router of its own, federate inside this one process.
//
// A router is embedded in five steps: write a configuration and load it, make a `Router` with a logger and
// an observer, `start()` it, `send(_:)` and follow its inbox, `shutdown()`. See Organisation.swift.

internal import Foundation

/// Prepares everything, runs the demonstration and, with a terminal, the prompt.
///
/// - Returns: whether all messages went where they should.
func runExample(in folder: Folder, on journey: Journey) async throws -> Bool {
    let network = try Network(in: folder, journey: journey)
    return try await network.run {
        guard !Task.isCancelled else { return true }
        journey.say(Introduction.text(network, in: folder))
        let succeeded = await Demonstration(network: network, journey: journey).run()
        guard isatty(STDIN_FILENO) != 0, !Task.isCancelled else { return succeeded }
        await Prompt(network: network, journey: journey).run(StandardInput.lines())
        return true
    }
}

// A reader that goes away (`… | head`) must not keep the folder from being removed.
signal(SIGPIPE, SIG_IGN)

let journey = Journey()
let screen = Screen()
let entries = journey.follow()
let printing = Task { await screen.show(entries) }
let running = Task {
    let folder = try Folder.temporary()
    defer { folder.remove() }
    return try await runExample(in: folder, on: journey)
}
let signals = Signals([SIGINT, SIGTERM]) { running.cancel() }

var status: Int32 = 1
do {
    status = try await running.value ? 0 : 1
} catch {
    journey.say("error: \(error)")
}
journey.finish()
await printing.value
exit(status)

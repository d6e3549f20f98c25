internal import HostServices
internal import NIOConcurrencyHelpers
package import NativeCalls
package import PluginHost

extension Router {
    /// The longest time that a caller may wait for a command.
    package static let callTimeMax = Duration.seconds(60)

    /// Carries out a command of a provider, on the worker of its instance.
    ///
    /// The time is the caller's: a command that has begun is not stopped when it is over. One that has not is never begun.
    ///
    /// - Parameters:
    ///   - instance: its name in the configuration.
    ///   - time: how long to wait for the answer; at most ``callTimeMax``.
    /// - Returns: the answer; nil if there is none.
    package func call(
        _ instance: String,
        _ command: String,
        _ arguments: [String],
        within time: Duration
    ) async throws(CallError) -> CommandValue? {
        guard let runtime = core.runtimes.first(where: { $0.name == instance }) else {
            throw .unknownInstance(instance, known: core.runtimes.map(\.name))
        }
        let bound = LoopBound(value: runtime)
        let turn = CallTurn()
        let time = min(time, Self.callTimeMax)
        let result = await withCheckedContinuation { continuation in
            turn.wait(
                continuation,
                until: Task {
                    try await Task.sleep(for: time)
                    turn.end { .failure(.timedOut(command, instance: instance, after: time, hasBegun: $0)) }
                }
            )
            let isRunning = ifIn([.running, .stopping]) {
                bound.value.context.worker.run {
                    guard turn.begin() else { return }
                    let result = bound.value.call(command, arguments)
                    turn.end { _ in result }
                }
            }
            if !isRunning { turn.end { _ in .failure(.command(.notRunning(instance: instance))) } }
        }
        return try result.get()
    }
}

extension InstanceRuntime {
    /// On its loop.
    fileprivate func call(_ command: String, _ arguments: [String]) -> Result<CommandValue?, CallError> {
        guard let instance else { return .failure(.command(.notRunning(instance: name))) }
        do throws(CommandError) {
            return .success(try instance.call(command, arguments))
        } catch {
            return .failure(.command(error))
        }
    }
}

/// Why a command has no answer.
package enum CallError: Error, Hashable, Sendable, CustomStringConvertible {
    case unknownInstance(String, known: [String])
    case timedOut(String, instance: String, after: Duration, hasBegun: Bool)
    case command(CommandError)

    package var description: String {
        switch self {
        case .unknownInstance(let name, let known):
            "no provider is called '\(PlainText.shown(name))': there are \(known.joined(separator: ", "))"
        case .timedOut(let command, let instance, let time, hasBegun: true):
            "\(command) has no answer after \(time): it still runs, and holds up the worker of \(instance)"
        case .timedOut(let command, let instance, let time, hasBegun: false):
            "the worker of \(instance) was busy for \(time): \(command) was not begun, and will not be"
        case .command(let error):
            "\(error)"
        }
    }
}

/// One call: who waits for it, and whether it has begun.
///
/// Any thread.
private final class CallTurn: Sendable {
    private typealias Waiting = CheckedContinuation<Result<CommandValue?, CallError>, Never>

    private struct State {
        var waiting: Waiting?
        var timer: Task<Void, any Error>?
        var hasBegun = false
    }

    private let state = NIOLockedValueBox(State())

    /// Notes who waits, and what ends the wait.
    func wait(
        _ continuation: CheckedContinuation<Result<CommandValue?, CallError>, Never>,
        until timer: Task<Void, any Error>
    ) {
        state.withLockedValue {
            $0.waiting = continuation
            $0.timer = timer
        }
    }

    /// Begins; false if nobody waits any more.
    func begin() -> Bool {
        state.withLockedValue { state in
            guard state.waiting != nil else { return false }
            state.hasBegun = true
            return true
        }
    }

    /// Ends the wait, once.
    func end(_ result: (_ hasBegun: Bool) -> Result<CommandValue?, CallError>) {
        let (waiting, hasBegun) = state.withLockedValue { state in
            state.timer?.cancel()
            defer { state.waiting = nil }
            return (state.waiting, state.hasBegun)
        }
        waiting?.resume(returning: result(hasBegun))
    }
}

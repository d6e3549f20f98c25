package import NativeCalls

/// Why a command was not carried out, or has no answer.
package enum CommandError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The instance is not running.
    case notRunning(instance: String)
    /// The plugin offers no such command.
    case unknown(command: String, instance: String, known: [String])
    /// The plugin declares it, but wrongly.
    case refused(CommandRefusal, instance: String)
    /// What the operator gave does not fit.
    case arguments(ArgumentError)
    /// The plugin says that it failed, and why.
    case failed(String)
    /// The plugin does not carry out what it declares.
    case notCarriedOut(command: String)
    /// The plugin's answer is unusable.
    case badAnswer(command: String, what: String)
    /// libffi cannot call such a function.
    case notCallable(command: String)

    package var description: String {
        switch self {
        case .notRunning(let instance):
            "\(instance) does not run: 'plugboard plugins' may say why"
        case .unknown(let command, let instance, let known):
            known.isEmpty
                ? "\(instance) has no commands"
                : "\(instance) has no command '\(PlainText.shown(command))', but \(known.joined(separator: ", "))"
        case .refused(let refusal, let instance):
            "the plugin of \(instance) is at fault: \(refusal)"
        case .arguments(let error):
            "\(error)"
        case .failed(let reason):
            reason.isEmpty ? "the command failed, and does not say why" : reason
        case .notCarriedOut(let command):
            "the plugin declares \(command) without a function, and lacks the extension that would carry it out"
        case .badAnswer(let command, let what):
            "the answer of \(command) cannot be shown: \(what)"
        case .notCallable(let command):
            "\(command) cannot be called on this machine"
        }
    }
}

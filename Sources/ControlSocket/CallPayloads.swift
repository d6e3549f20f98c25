/// A call of a provider's command, or the question which there are.
package struct CallRequest: Codable, Hashable, Sendable {
    /// The provider's name in the configuration.
    package var provider: String
    /// Nil: which commands there are.
    package var command: String?
    package var arguments: [String]
    /// How long to wait for the answer, in ms.
    package var timeoutMs: Int64

    /// The range of `timeoutMs`.
    package static let timeoutMsRange: ClosedRange<Int64> = 1...60_000

    package init(provider: String, command: String? = nil, arguments: [String] = [], timeoutMs: Int64 = 5000) {
        self.provider = provider
        self.command = command
        self.arguments = arguments
        self.timeoutMs = timeoutMs
    }
}

/// The answer of a command.
package struct CallResult: Codable, Hashable, Sendable {
    /// `text`, `integer`, `number`, `true or false`, or `nothing`.
    package var type: String
    /// The answer as text; nil if there is none.
    package var answer: String?

    package init(type: String, answer: String?) {
        self.type = type
        self.answer = answer
    }
}

/// One command of a provider.
package struct CommandReport: Codable, Hashable, Sendable {
    package struct Argument: Codable, Hashable, Sendable {
        package var name: String
        package var type: String
        /// What counts if it is left out; nil: it must be given.
        package var standard: String?

        package init(name: String, type: String, standard: String?) {
            self.name = name
            self.type = type
            self.standard = standard
        }
    }

    package var name: String
    /// As an operator types it: `set-profile USER [SECONDS=60]`.
    package var usage: String
    package var help: String
    package var arguments: [Argument]
    /// What it answers: `text`, `nothing` and the like.
    package var answer: String
    /// Why it is not offered; nil if it is.
    package var refusal: String?

    package init(
        name: String,
        usage: String,
        help: String,
        arguments: [Argument],
        answer: String,
        refusal: String? = nil
    ) {
        self.name = name
        self.usage = usage
        self.help = help
        self.arguments = arguments
        self.answer = answer
        self.refusal = refusal
    }
}

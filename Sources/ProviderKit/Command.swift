/// A command that operators call with `plugboard call`.
///
///     Command("set-prefix", .text("prefix", standard: ""), answers: .text, help: "Sets what answers begin with.") {
///         (echo: EchoProvider, prefix) in echo.setPrefix(prefix)
///     }
///
/// The closure runs on the instance's thread, with arguments that the host has checked. What it throws is shown to the
/// operator by its description.
public struct Command: Sendable {
    /// Letters, digits, `-` and `_`, a letter first.
    public let name: String
    /// What it does, in one sentence.
    public let help: String
    let signature: String
    let argumentNames: String
    let run: @Sendable (any Provider, [CommandArgument]) throws -> CommandArgument?

    /// A command that answers something.
    ///
    /// - Parameters:
    ///   - parameters: at most 16; those that may be left out come last.
    ///   - answers: what it answers with, ``CommandAnswer/nothing`` included.
    public init<P: Provider & SendableMetatype, each Value, Answer>(
        _ name: String,
        _ parameters: repeat CommandParameter<each Value>,
        answers: CommandAnswer<Answer>,
        help: String,
        run: @escaping @Sendable (P, repeat each Value) throws -> Answer
    ) {
        self.name = name
        self.help = help
        var types: [String] = []
        var names: [String] = []
        for parameter in repeat each parameters {
            types.append(parameter.type)
            names.append(parameter.name + (parameter.standard.map { "=\($0)" } ?? ""))
        }
        signature = "\(answers.type)(\(types.joined(separator: ",")))"
        argumentNames = names.joined(separator: ",")
        self.run = { provider, arguments in
            guard let provider = provider as? P else { throw ProviderError("the command is another provider's") }
            var rest = arguments[...]
            let answer = try run(provider, repeat try (each parameters).take(&rest))
            return answers.write(answer)
        }
    }

    /// A command that answers nothing.
    public init<P: Provider & SendableMetatype, each Value>(
        _ name: String,
        _ parameters: repeat CommandParameter<each Value>,
        help: String,
        run: @escaping @Sendable (P, repeat each Value) throws -> Void
    ) {
        self.init(name, repeat each parameters, answers: .nothing, help: help, run: run)
    }
}

/// What a command takes: its name, its type, and perhaps a default.
public struct CommandParameter<Value>: Sendable {
    let name: String
    let type: String
    let standard: String?
    private let read: @Sendable (CommandArgument) -> Value?

    fileprivate init(
        _ name: String,
        _ type: String,
        _ standard: String?,
        _ read: @escaping @Sendable (CommandArgument) -> Value?
    ) {
        self.name = name
        self.type = type
        self.standard = standard
        self.read = read
    }

    fileprivate func take(_ arguments: inout ArraySlice<CommandArgument>) throws -> Value {
        guard let first = arguments.popFirst(), let value = read(first) else {
            throw ProviderError("the host did not hand over the argument \(name)")
        }
        return value
    }
}

extension CommandParameter where Value == String {
    /// Text, without zeros; `standard`, which holds no comma, counts if it is left out.
    public static func text(_ name: String, standard: String? = nil) -> Self {
        Self(name, "s", standard) { if case .text(let value) = $0 { value } else { nil } }
    }
}

extension CommandParameter where Value == Int {
    /// A whole number; `standard` counts if it is left out.
    public static func integer(_ name: String, standard: Int? = nil) -> Self {
        Self(name, "i", standard.map { "\($0)" }) { if case .integer(let value) = $0 { Int(value) } else { nil } }
    }
}

extension CommandParameter where Value == Double {
    /// A finite number; `standard` counts if it is left out.
    public static func number(_ name: String, standard: Double? = nil) -> Self {
        Self(name, "d", standard.map { "\($0)" }) { if case .number(let value) = $0 { value } else { nil } }
    }
}

extension CommandParameter where Value == Bool {
    /// True or false; `standard` counts if it is left out.
    public static func truth(_ name: String, standard: Bool? = nil) -> Self {
        Self(name, "b", standard.map { "\($0)" }) { if case .truth(let value) = $0 { value } else { nil } }
    }
}

/// What a command answers with.
public struct CommandAnswer<Value>: Sendable {
    let type: String
    let write: @Sendable (Value) -> CommandArgument?
}

extension CommandAnswer where Value == Void {
    /// Nothing but that it was done.
    public static var nothing: Self { Self(type: "v") { nil } }
}

extension CommandAnswer where Value == String {
    /// Text, of at most 1 MiB.
    public static var text: Self { Self(type: "s") { .text($0) } }
}

extension CommandAnswer where Value == Int {
    /// A whole number.
    public static var integer: Self { Self(type: "i") { .integer(Int64($0)) } }
}

extension CommandAnswer where Value == Double {
    /// A number.
    public static var number: Self { Self(type: "d") { .number($0) } }
}

extension CommandAnswer where Value == Bool {
    /// True or false.
    public static var truth: Self { Self(type: "b") { .truth($0) } }
}

/// A value as it crosses the ABI.
enum CommandArgument: Sendable {
    case integer(Int64)
    case number(Double)
    case truth(Bool)
    case text(String)
}

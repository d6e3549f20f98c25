/// The form of an operator's command: its name, what it takes, and what it answers.
///
///     arguments = [ argument *( "," argument ) ]
///     argument  = name [ "=" default ]
///
/// After an argument with a default all others have one. A default holds no comma.
package struct CommandForm: Hashable, Sendable {
    /// One parameter.
    package struct Parameter: Hashable, Sendable {
        package var name: String
        package var type: NativeType
        /// What counts if the operator leaves it out; nil: it must be given.
        package var standard: CommandValue?
    }

    package let name: String
    package let parameters: [Parameter]
    /// ``NativeType/void`` if it answers nothing.
    package let result: NativeType
    /// One sentence.
    package let help: String

    /// The longest name of a command or argument, in bytes.
    package static let nameBytesMax = 64

    /// Reads a declaration.
    ///
    /// - Throws: ``CommandFault``.
    package init(
        name: String,
        signature: String,
        argumentNames: String,
        help: String
    ) throws(CommandFault) {
        guard Self.isName(name) else { throw .badName(name) }
        let form: Signature
        do throws(SignatureError) {
            form = try Signature(parsing: signature)
        } catch {
            throw .badSignature(signature, error)
        }
        let types = form.parameters + (form.result == .void ? [] : [form.result])
        if let type = types.first(where: { CommandValue.expectation(of: $0) == nil }) {
            throw .badType(signature: signature, type: type)
        }
        self.name = name
        self.result = form.result
        self.help = help
        self.parameters = try Self.parameters(argumentNames, form.parameters)
    }

    private static func parameters(_ text: String, _ types: [NativeType]) throws(CommandFault) -> [Parameter] {
        let words = text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false)
        guard words.count == types.count else { throw .nameCount(names: words.count, parameters: types.count) }
        var parameters: [Parameter] = []
        var character = 1
        for (word, type) in zip(words, types) {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts.first.map(String.init) ?? ""
            guard isName(name) else { throw .badArgumentName(name, character: character) }
            guard !parameters.contains(where: { $0.name == name }) else {
                throw .duplicateArgument(name, character: character)
            }
            var parameter = Parameter(name: name, type: type)
            if parts.count == 2 {
                guard let value = CommandValue(parsing: String(parts[1]), as: type) else {
                    throw .badDefault(name, value: String(parts[1]), expected: CommandValue.expectation(of: type) ?? "")
                }
                parameter.standard = value
            } else if parameters.last?.standard != nil {
                throw .defaultMissing(name, character: character)
            }
            parameters.append(parameter)
            character += word.count + 1
        }
        return parameters
    }

    /// Whether a text can name a command or an argument: letters, digits, `-` and `_`, a letter first.
    static func isName(_ text: String) -> Bool {
        guard let first = text.first, first.isASCII, first.isLetter, text.utf8.count <= nameBytesMax else {
            return false
        }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
    }

    /// The command as an operator types it: `set-profile USER [SECONDS=60]`.
    package var usage: String {
        parameters.reduce(name) { text, parameter in
            let word = parameter.name.uppercased()
            return text + (parameter.standard.map { " [\(word)=\($0)]" } ?? " \(word)")
        }
    }
}

/// Why a plugin's declaration of a command is refused; its other commands are not.
package enum CommandFault: Error, Hashable, Sendable, CustomStringConvertible {
    case badName(String)
    case badSignature(String, SignatureError)
    /// A type that commands have not.
    case badType(signature: String, type: NativeType)
    case nameCount(names: Int, parameters: Int)
    case badArgumentName(String, character: Int)
    case duplicateArgument(String, character: Int)
    case badDefault(String, value: String, expected: String)
    /// An argument without a default after one that has one.
    case defaultMissing(String, character: Int)
    /// Two commands of one name.
    case duplicateCommand(first: Int)
    /// What cannot be read at all.
    case malformed(String)

    package var description: String {
        switch self {
        case .badName(let name):
            "its name '\(PlainText.shown(name))' must be 1 to \(CommandForm.nameBytesMax) letters, digits, '-' or '_', "
                + "a letter first"
        case .badSignature(let signature, let error):
            "its signature '\(PlainText.shown(signature))' is wrong \(error)"
        case .badType(let signature, let type):
            "its signature '\(PlainText.shown(signature))' has the type \(type.rawValue): commands take and answer "
                + "i, d, b and s, or answer v"
        case .nameCount(let names, let parameters):
            "its argument_names have \(names) name\(names == 1 ? "" : "s"), its signature takes \(parameters)"
        case .badArgumentName(let name, let character):
            "its argument_names are wrong at character \(character): '\(PlainText.shown(name))' must be 1 to "
                + "\(CommandForm.nameBytesMax) letters, digits, '-' or '_', a letter first"
        case .duplicateArgument(let name, let character):
            "its argument_names are wrong at character \(character): '\(name)' is there twice"
        case .badDefault(let name, let value, let expected):
            "the default '\(PlainText.shown(value))' of its argument \(name) must be \(expected)"
        case .defaultMissing(let name, let character):
            "its argument_names are wrong at character \(character): '\(name)' needs a default, for the one before has one"
        case .duplicateCommand(let first):
            "command \(first) has the same name"
        case .malformed(let what):
            what
        }
    }
}

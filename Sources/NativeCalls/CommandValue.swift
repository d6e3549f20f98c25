/// An argument or the answer of a command.
package enum CommandValue: Hashable, Sendable, CustomStringConvertible {
    case integer(Int64)
    /// Finite where an operator wrote it.
    case number(Double)
    case truth(Bool)
    case text(String)

    /// The longest text that is handed to a command, in bytes.
    package static let argumentBytesMax = 32 * 1024
    /// The longest text that a command may answer, in bytes.
    package static let answerBytesMax = 1 << 20

    /// Reads what an operator wrote; nil if it does not fit the type.
    ///
    /// Text may not hold a zero, which would end it in C.
    package init?(parsing text: String, as type: NativeType) {
        guard text.utf8.count <= Self.argumentBytesMax else { return nil }
        switch type {
        case .i64:
            guard !text.hasPrefix("+"), let value = Int64(text) else { return nil }
            self = .integer(value)
        case .f64:
            guard text.utf8.allSatisfy(Self.isDecimal), let value = Double(text), value.isFinite else { return nil }
            self = .number(value)
        case .bool:
            guard text == "true" || text == "false" else { return nil }
            self = .truth(text == "true")
        case .string:
            guard !text.utf8.contains(0) else { return nil }
            self = .text(text)
        case .void, .i8, .u8, .i16, .u16, .i32, .u32, .u64, .f32, .pointer:
            return nil
        }
    }

    /// What an operator has to write, to follow "must be"; nil for a type that commands have not.
    package static func expectation(of type: NativeType) -> String? {
        switch type {
        case .i64: "an integer of 64 bits"
        case .f64: "a decimal number"
        case .bool: "true or false"
        case .string: "text of at most \(argumentBytesMax) bytes"
        case .void, .i8, .u8, .i16, .u16, .i32, .u32, .u64, .f32, .pointer: nil
        }
    }

    /// The type's name for people: `integer`, `number`, `true or false`, `text`.
    package static func name(of type: NativeType) -> String {
        switch type {
        case .i64: "integer"
        case .f64: "number"
        case .bool: "true or false"
        case .string: "text"
        case .void: "nothing"
        case .i8, .u8, .i16, .u16, .i32, .u32, .u64, .f32, .pointer: type.rawValue
        }
    }

    /// The type that it belongs to.
    package var type: NativeType {
        switch self {
        case .integer: .i64
        case .number: .f64
        case .truth: .bool
        case .text: .string
        }
    }

    /// As an operator would write it.
    package var description: String {
        switch self {
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .truth(let value): "\(value)"
        case .text(let value): value
        }
    }

    private static func isDecimal(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "+-.eE".utf8.contains(byte)
    }
}

extension CommandForm {
    /// Reads the arguments of a call, with defaults filled in.
    ///
    /// - Throws: ``ArgumentError``, which names the argument and what was expected.
    package func values(of arguments: [String]) throws(ArgumentError) -> [CommandValue] {
        guard arguments.count <= parameters.count else {
            throw .tooMany(command: usage, given: arguments.count, taken: parameters.count)
        }
        var values: [CommandValue] = []
        for (index, parameter) in parameters.enumerated() {
            guard index < arguments.count else {
                guard let standard = parameter.standard else {
                    throw .missing(command: usage, argument: parameter.name)
                }
                values.append(standard)
                continue
            }
            guard let value = CommandValue(parsing: arguments[index], as: parameter.type) else {
                throw .wrong(
                    argument: parameter.name,
                    expected: CommandValue.expectation(of: parameter.type) ?? "",
                    given: arguments[index]
                )
            }
            values.append(value)
        }
        return values
    }
}

/// What is wrong with the arguments of a call.
package enum ArgumentError: Error, Hashable, Sendable, CustomStringConvertible {
    case tooMany(command: String, given: Int, taken: Int)
    case missing(command: String, argument: String)
    case wrong(argument: String, expected: String, given: String)

    package var description: String {
        switch self {
        case .tooMany(let command, let given, let taken):
            "\(given) arguments were given, at most \(taken) are taken: \(PlainText.shown(command))"
        case .missing(let command, let argument):
            "the argument '\(argument)' is missing: \(PlainText.shown(command))"
        case .wrong(let argument, let expected, let given):
            "the argument '\(argument)' must be \(expected), not '\(PlainText.shown(given))'"
        }
    }
}

/// What a C function takes and returns, known only at run time.
///
///     signature = type "(" [ type *( "," type ) ] ")"
///     type      = a name or letter of ``NativeType``; "void" as a result only
///
/// Blanks may stand around each part: `s(s,i)`, `i32 (pointer, string)`.
package struct Signature: Hashable, Sendable, CustomStringConvertible {
    package let result: NativeType
    package let parameters: [NativeType]

    /// The most parameters.
    package static let parametersMax = 16
    /// The longest signature, in bytes.
    package static let bytesMax = 256

    package init(result: NativeType, parameters: [NativeType]) {
        self.result = result
        self.parameters = parameters
    }

    /// Reads a signature.
    ///
    /// - Throws: ``SignatureError``, with the place.
    package init(parsing text: String) throws(SignatureError) {
        guard text.utf8.count <= Self.bytesMax else { throw .tooLong(bytes: text.utf8.count) }
        var reader = SignatureReader(text)
        result = try reader.type()
        try reader.expect("(")
        var parameters: [NativeType] = []
        if !reader.take(")") {
            repeat {
                let place = reader.place
                let type = try reader.type()
                guard type != .void else { throw .voidParameter(character: place) }
                guard parameters.count < Self.parametersMax else { throw .tooManyParameters(character: place) }
                parameters.append(type)
            } while reader.take(",")
            try reader.expect(")")
        }
        guard reader.isAtEnd else { throw .surplus(character: reader.place, found: reader.rest) }
        self.parameters = parameters
    }

    /// The signature with full names and no blanks, which reads back as itself.
    package var description: String { "\(result.rawValue)(\(parameters.map(\.rawValue).joined(separator: ",")))" }
}

/// Why a text is no signature; characters are counted from 1.
package enum SignatureError: Error, Hashable, Sendable, CustomStringConvertible {
    case tooLong(bytes: Int)
    /// The end, or a sign, where a type should be.
    case missingType(character: Int, found: String)
    case unknownType(character: Int, word: String)
    case voidParameter(character: Int)
    case tooManyParameters(character: Int)
    /// Something else than the sign that has to stand there.
    case missingSign(character: Int, sign: Character, found: String)
    case surplus(character: Int, found: String)

    package var description: String {
        switch self {
        case .tooLong(let bytes):
            "it has \(bytes) bytes, at most \(Signature.bytesMax) are allowed"
        case .missingType(let character, let found):
            "at character \(character): a type is expected, not \(Self.shown(found))"
        case .unknownType(let character, let word):
            "at character \(character): \(Self.shown(word)) is no type: use \(NativeType.names)"
        case .voidParameter(let character):
            "at character \(character): void can only be a result; write () if there are no parameters"
        case .tooManyParameters(let character):
            "at character \(character): more than \(Signature.parametersMax) parameters"
        case .missingSign(let character, let sign, let found):
            "at character \(character): '\(sign)' is expected, not \(Self.shown(found))"
        case .surplus(let character, let found):
            "at character \(character): \(Self.shown(found)) after the end"
        }
    }

    private static func shown(_ text: String) -> String {
        guard !text.isEmpty else { return "the end" }
        return "'\(PlainText.shown(text))'"
    }
}

/// Reads a signature from left to right.
private struct SignatureReader {
    private let characters: [Character]
    private var index = 0

    init(_ text: String) {
        characters = Array(text)
        skipBlanks()
    }

    /// The place of the next character, from 1.
    var place: Int { index + 1 }
    var isAtEnd: Bool { index == characters.count }
    /// What is left.
    var rest: String { String(characters[index...]) }

    /// Takes a sign if it is the next.
    mutating func take(_ sign: Character) -> Bool {
        guard index < characters.count, characters[index] == sign else { return false }
        index += 1
        skipBlanks()
        return true
    }

    mutating func expect(_ sign: Character) throws(SignatureError) {
        let place = place
        guard take(sign) else {
            throw .missingSign(character: place, sign: sign, found: isAtEnd ? "" : String(characters[index]))
        }
    }

    mutating func type() throws(SignatureError) -> NativeType {
        let start = index
        while index < characters.count, characters[index].isASCII,
            characters[index].isLetter || characters[index].isNumber
        {
            index += 1
        }
        guard index > start else {
            throw .missingType(character: start + 1, found: isAtEnd ? "" : String(characters[start]))
        }
        let word = String(characters[start..<index])
        guard let type = NativeType(word: word) else { throw .unknownType(character: start + 1, word: word) }
        skipBlanks()
        return type
    }

    private mutating func skipBlanks() {
        while index < characters.count, characters[index] == " " { index += 1 }
    }
}

/// Text of a plugin or an operator in a message.
package enum PlainText {
    /// Longest text that is shown whole, in characters.
    package static let shownMax = 60

    /// `text`, cut when it is long, with `?` for what would disturb a terminal.
    package static func shown(_ text: String) -> String {
        var shown = ""
        for scalar in text.prefix(shownMax).unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: shown += "?"
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return text.count > shownMax ? shown + "…" : shown
    }
}

/// What a setting may hold.
package enum SettingType: Hashable, Sendable {
    /// Text of at most ``stringLengthMax`` bytes.
    case string
    case integer(ClosedRange<Int64>)
    /// `true` or `false`.
    case boolean
    /// See ``DurationText``.
    case duration(ClosedRange<Duration>)
    /// Bytes; see ``SizeText``.
    case size(ClosedRange<Int64>)
    /// One of some words.
    case choice([String])
    /// A ``SecretReference``, never the secret.
    case secret
    /// `host:port`; see ``HostPort``.
    case address
    /// An IPv4 or IPv6 address.
    case ipAddress
    /// A list; rules for `name[]…` say what is in it, without them anything may be.
    case list
    /// A map; rules for `name.key` say what is in it, without them anything may be.
    case map
    /// Whatever was written.
    case anything

    /// Any integer that 64 bits hold.
    package static let anyInteger = SettingType.integer(Int64.min...Int64.max)
    /// Any duration that can be written.
    package static let anyDuration = SettingType.duration(.zero...DurationText.max)
    /// Any size that can be written.
    package static let anySize = SettingType.size(0...Int64.max)

    /// Longest text of a value, in bytes.
    package static let stringLengthMax = 4096
}

/// Why a value does not fit its type: the end of a sentence that begins with the setting's path.
struct ValueFault: Error, Hashable {
    var message: String
    var suggestion: String?
}

extension SettingType {
    /// Checks one written value.
    ///
    /// - Throws: the fault. It quotes the value except where a secret is expected.
    func check(_ text: String) throws(ValueFault) {
        guard text.utf8.count <= Self.stringLengthMax else {
            throw ValueFault(message: "is longer than \(Self.stringLengthMax) bytes")
        }
        switch self {
        case .string, .anything:
            break
        case .integer(let range):
            guard let number = Self.integer(text), range.contains(number) else { throw self.fault(text) }
        case .boolean:
            guard text == "true" || text == "false" else {
                throw self.fault(text, suggestion: Self.booleanMeant(by: text).map { "write '\($0)'" })
            }
        case .duration(let range):
            guard let duration = DurationText.parse(text), range.contains(duration) else {
                let lacksUnit = Self.integer(text) != nil
                throw self.fault(text, suggestion: lacksUnit ? "add a unit: ms, s, m, h or d" : nil)
            }
        case .size(let range):
            guard let bytes = SizeText.parse(text), range.contains(bytes) else { throw self.fault(text) }
        case .choice(let words):
            guard words.contains(text) else {
                let nearest = Suggestion.nearest(to: text, among: words)
                throw self.fault(text, suggestion: nearest.map { "did you mean '\($0)'?" })
            }
        case .secret:
            // What stands here may be the secret itself: it is not shown.
            guard SecretReference(parsing: text, in: "/") != nil else {
                throw ValueFault(
                    message: "must refer to a secret, not hold it",
                    suggestion: "write 'env:NAME' or 'file:PATH'"
                )
            }
        case .address:
            guard HostPort(parsing: text) != nil else { throw self.fault(text) }
        case .ipAddress:
            guard NetworkNames.isIPAddress(text) else { throw self.fault(text) }
        case .list, .map:
            throw ValueFault(message: "must be \(self.expectation), not a single value")
        }
    }

    /// `text`, which passed ``check(_:)``, as plugins get it: durations in milliseconds and sizes in bytes.
    func normalised(_ text: String) -> String {
        switch self {
        case .duration: DurationText.parse(text).map { "\(DurationText.milliseconds($0))" } ?? text
        case .size: SizeText.parse(text).map { "\($0)" } ?? text
        case .string, .integer, .boolean, .choice, .secret, .address, .ipAddress, .list, .map, .anything: text
        }
    }

    /// What is expected, to follow "must be".
    package var expectation: String {
        switch self {
        case .string: "text"
        case .anyInteger: "an integer"
        case .integer(let range): "an integer \(Self.span(range) { "\($0)" })"
        case .boolean: "true or false"
        case .anyDuration: "a duration such as '250ms', '5s', '10m' or '48h'"
        case .duration(let range): "a duration \(Self.span(range, DurationText.format))"
        case .anySize: "a size such as '64KiB' or '1MiB'"
        case .size(let range): "a size \(Self.span(range, SizeText.format))"
        case .choice(let words): words.count == 1 ? "'\(words[0])'" : "one of \(words.joined(separator: ", "))"
        case .secret: "a reference to a secret, 'env:NAME' or 'file:PATH'"
        case .address: "an address 'host:port'"
        case .ipAddress: "an IP address"
        case .list: "a list"
        case .map: "a map"
        case .anything: "anything"
        }
    }

    private func fault(_ text: String, suggestion: String? = nil) -> ValueFault {
        ValueFault(message: "must be \(self.expectation), not \(Shown.quoted(text))", suggestion: suggestion)
    }

    /// A decimal integer, without a plus sign.
    static func integer(_ text: String) -> Int64? {
        text.first == "+" ? nil : Int64(text)
    }

    private static func booleanMeant(by text: String) -> Bool? {
        switch text.lowercased() {
        case "yes", "on", "true", "1": true
        case "no", "off", "false", "0": false
        default: nil
        }
    }

    private static func span<Bound>(_ range: ClosedRange<Bound>, _ format: (Bound) -> String) -> String {
        "from \(format(range.lowerBound)) to \(format(range.upperBound))"
    }
}

/// How text from a file is shown in a message.
enum Shown {
    /// Longest text that is shown whole, in characters.
    static let lengthMax = 60

    /// `text` in quotes, cut when it is long, with `?` for characters that would disturb a terminal.
    static func quoted(_ text: String) -> String {
        var shown = "'"
        for scalar in text.prefix(Self.lengthMax).unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: shown += "?"
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return shown + (text.count > Self.lengthMax ? "…'" : "'")
    }
}

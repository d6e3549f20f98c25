internal import Foundation

/// The lines of the control protocol: JSON objects, one a line.
///
///     request     {"command":"status","arguments":{…}}
///     response    {"event":…}    none or more
///                 {"done":true}  or  {"error":{"code":…,"message":…}}
enum ControlLines {
    private struct Request<Arguments: Encodable>: Encodable {
        var command: String
        var arguments: Arguments
    }

    fileprivate struct Event<Payload> {
        var event: Payload
    }

    private struct Failure: Encodable {
        var error: ControlFailure
    }

    private struct End: Decodable {
        var done: Bool?
        var error: ControlFailure?
    }

    /// A line of a response, as far as it can be told without the type of its event.
    enum Response {
        case event
        case done
        case failure(ControlFailure)
    }

    static func request(_ command: String, _ arguments: some Encodable) throws(ControlError) -> [UInt8] {
        try Self.line(Request(command: command, arguments: arguments), limit: ControlLimits.requestLineMax)
    }

    static func event(_ payload: some Encodable) throws(ControlError) -> [UInt8] {
        try Self.line(Event(event: payload), limit: ControlLimits.eventLineMax)
    }

    static func done() -> [UInt8] {
        Array(#"{"done":true}"#.utf8) + [UInt8(ascii: "\n")]
    }

    /// The last line of a request that failed.
    ///
    /// A message too long for a line is left out.
    static func failure(_ failure: ControlFailure) -> [UInt8] {
        if let line = try? Self.line(Failure(error: failure), limit: ControlLimits.eventLineMax) { return line }
        return Array(#"{"error":{"code":"internal","message":"the reason is too long to send"}}"#.utf8)
            + [UInt8(ascii: "\n")]
    }

    static func response(_ line: [UInt8]) throws(ControlError) -> Response {
        let end = try Self.decode(End.self, from: line)
        if let failure = end.error { return .failure(failure) }
        return end.done == true ? .done : .event
    }

    static func payload<Payload: Decodable>(_: Payload.Type, from line: [UInt8]) throws(ControlError) -> Payload {
        try Self.decode(Event<Payload>.self, from: line).event
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from line: [UInt8]) throws(ControlError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(line))
        } catch let error as DecodingError {
            throw .malformed(Self.reason(error))
        } catch {
            throw .malformed("not JSON")
        }
    }

    private static func line(_ value: some Encodable, limit: Int) throws(ControlError) -> [UInt8] {
        let encoder = JSONEncoder()
        // Compact JSON has no newline: inside strings it is escaped. Sorted keys make lines comparable.
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { throw .malformed("a value that JSON cannot hold") }
        guard data.count <= limit else { throw .lineTooLong(limit: limit) }
        return Array(data) + [UInt8(ascii: "\n")]
    }

    /// Says which key is wrong, and never quotes a value: it may be the text of a message.
    private static func reason(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context):
            "the key '\(Self.path(context.codingPath + [key]))' is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            context.codingPath.isEmpty
                ? "not a JSON object" : "the key '\(Self.path(context.codingPath))' has a value of another type"
        case .dataCorrupted(let context):
            context.codingPath.isEmpty ? "not JSON" : "the key '\(Self.path(context.codingPath))' has a wrong value"
        @unknown default:
            "not what was asked for"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.map { key in key.intValue.map { "\($0)" } ?? key.stringValue }.joined(separator: ".")
    }
}

extension ControlLines.Event: Encodable where Payload: Encodable {}
extension ControlLines.Event: Decodable where Payload: Decodable {}

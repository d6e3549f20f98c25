import Foundation
import Testing

@testable import ControlSocket

/// The JSON that programs read.
@Suite struct PayloadTests {
    private func json(_ value: some Encodable) throws -> String {
        String(decoding: try ControlLines.event(value).dropLast(), as: UTF8.self)
    }

    @Test func resultsHaveAFixedForm() throws {
        #expect(try self.json(SendResult(id: "7", accepted: true)) == #"{"event":{"accepted":true,"id":"7"}}"#)
        #expect(
            try self.json(SendResult(id: "7", accepted: false, reason: "no/route"))
                == #"{"event":{"accepted":false,"id":"7","reason":"no/route"}}"#
        )
        #expect(
            try self.json(PluginReport(state: .refused, path: "/p.so", reason: "ABI 2"))
                == #"{"event":{"path":"/p.so","reason":"ABI 2","state":"refused"}}"#
        )
    }

    @Test func aLineBreakInATextIsNoEndOfLine() throws {
        let item = InboxItem(
            sequence: 1,
            id: "a",
            from: "b@b.test",
            to: "a@a.test",
            kind: "message",
            text: "x\ny\u{2028}",
            timestamp: 1
        )
        let line = try ControlLines.event(item)
        #expect(line.filter { $0 == UInt8(ascii: "\n") }.count == 1)
        #expect(try ControlLines.payload(InboxItem.self, from: Array(line.dropLast())) == item)
    }

    @Test func requestsSurviveTheWay() throws {
        let inbox = InboxRequest(address: "a@a.test", after: .max, limit: 1, follow: true)
        let line = try ControlLines.request("inbox", inbox)
        #expect(try ControlRequest(line: Array(line.dropLast())).arguments(as: InboxRequest.self) == inbox)
    }
}

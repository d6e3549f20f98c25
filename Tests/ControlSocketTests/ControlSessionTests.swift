import Testing

@testable import ControlSocket

@Suite struct ControlSessionTests {
    private func request(_ command: String) throws -> ControlRequest {
        try ControlRequest(line: Array("{\"command\":\"\(command)\"}".utf8))
    }

    private func line(_ command: String) -> [UInt8] {
        Array("{\"command\":\"\(command)\"}".utf8)
    }

    @Test func requestsRunOneAfterTheOther() throws {
        var session = ControlSession()
        #expect(session.lineReceived(self.line("a")) == .start(try self.request("a")))
        #expect(session.lineReceived(self.line("b")) == .none)
        #expect(session.lineReceived(Array("x".utf8)) == .none)
        #expect(session.finished() == .start(try self.request("b")))
        #expect(session.finished() == .send(ControlFailure(.badRequest, "the request cannot be read: not JSON")))
        #expect(session.isRunning)
        #expect(session.finished() == .none)
        #expect(!session.isRunning)
    }

    @Test func anEmptyLineIsNothing() {
        var session = ControlSession()
        #expect(session.lineReceived([]) == .none)
        #expect(session.lineReceived(Array(" \r".utf8)) == .none)
        #expect(!session.isRunning)
    }

    @Test func aFewRequestsMayWait() throws {
        var session = ControlSession()
        #expect(session.lineReceived(self.line("first")) == .start(try self.request("first")))
        for _ in 0..<ControlLimits.waitingRequestsMax {
            #expect(session.lineReceived(self.line("next")) == .none)
        }
        let failure = ControlFailure(.tooManyRequests, "more than 8 requests wait on one connection")
        #expect(session.lineReceived(self.line("last")) == .close(failure))
    }
}

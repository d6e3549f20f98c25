import Foundation
import Testing

@testable import ControlSocket

/// What happens around the socket's file.
@Suite(.timeLimit(.minutes(1))) struct SocketLifecycleTests {
    private let directory: SocketDirectory

    init() throws {
        self.directory = try SocketDirectory()
    }

    private static func startError(_ path: String) async -> ControlError? {
        do throws(ControlError) {
            await (try ControlServer.start(path: path, handler: TestHandler())).stop()
            return nil
        } catch {
            return error
        }
    }

    private static func connectError(_ path: String) -> ControlError? {
        do throws(ControlError) {
            _ = try ControlClient(path: path)
            return nil
        } catch {
            return error
        }
    }

    @Test func onlyTheOwnerCanReachTheSocket() async throws {
        let path = "\(self.directory.path)/state/run/control.sock"
        let server = try await ControlServer.start(path: path, handler: TestHandler())
        #expect(try self.directory.mode("state") == 0o700)
        #expect(try self.directory.mode("state/run") == 0o700)
        #expect(try self.directory.mode("state/run/control.sock") == 0o600)
        #expect(try self.directory.mode("state/run/control.sock.lock") == 0o600)
        await server.stop()
    }

    @Test func aDirectoryThatOthersCanWriteToIsRefused() async throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o770], ofItemAtPath: self.directory.path)
        let error = await Self.startError(self.directory.socket)
        #expect(error == .directoryUnsafe(path: self.directory.path, mode: 0o770))
    }

    @Test func aSocketThatACrashLeftBehindIsReplaced() async throws {
        let listener = try SocketListener(path: self.directory.socket)
        close(listener.descriptor)
        #expect(self.directory.exists("control.sock"))
        listener.releaseLock()
        #expect(await Self.startError(self.directory.socket) == nil)
    }

    @Test func aRunningRouterIsLeftAlone() async throws {
        try await withServer(self.directory, TestHandler()) { server in
            #expect(await Self.startError(server.path) == .alreadyRunning(path: server.path))
            let report = try await blocking {
                var client = try ControlClient(path: server.path)
                return try client.event(of: "status", as: StatusReport.self)
            }
            #expect(report == TestHandler.status)
        }
    }

    @Test func aSocketThatAnswersIsLeftAloneWithoutALock() async throws {
        let listener = try SocketListener(path: self.directory.socket)
        listener.releaseLock()
        let path = self.directory.socket
        #expect(await Self.startError(path) == .alreadyRunning(path: path))
        #expect(Self.connectError(path) == nil)
        close(listener.descriptor)
    }

    @Test func aFileThatIsNoSocketIsLeftAlone() async throws {
        let path = self.directory.socket
        try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
        #expect(await Self.startError(path) == .notASocket(path: path))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
    }

    @Test func stoppingRemovesTheSocketUnlessAnotherTookItsPlace() async throws {
        let path = self.directory.socket
        let server = try await ControlServer.start(path: path, handler: TestHandler())
        try FileManager.default.removeItem(atPath: path)
        try Data("other".utf8).write(to: URL(fileURLWithPath: path))
        await server.stop()
        #expect(self.directory.exists("control.sock"))
    }

    @Test func stoppingTwiceDoesNotTouchTheNextRouter() async throws {
        let path = self.directory.socket
        let first = try await ControlServer.start(path: path, handler: TestHandler())
        await first.stop()
        try await withServer(self.directory, TestHandler()) { second in
            await first.stop()
            #expect(await Self.startError(path) == .alreadyRunning(path: path))
            #expect(self.directory.exists("control.sock"))
        }
    }

    @Test func aRouterCanStartAgainAfterItStopped() async throws {
        for _ in 0..<3 {
            #expect(await Self.startError(self.directory.socket) == nil)
            #expect(!self.directory.exists("control.sock"))
        }
    }

    @Test func withoutARouterTheClientSaysHowToStartOne() throws {
        let path = self.directory.socket
        let error = try #require(Self.connectError(path))
        #expect(error == .routerAbsent(path: path))
        #expect(
            error.description
                == "no router answers at \(path): start it with 'plugboard run', or name another socket with --socket"
        )
        let listener = try SocketListener(path: path)
        close(listener.descriptor)
        #expect(Self.connectError(path) == .routerAbsent(path: path))
        listener.release()
    }

    @Test(arguments: [(107, false), (108, true)])
    func aPathHasALimit(length: Int, isTooLong: Bool) async throws {
        let name = String(repeating: "x", count: length - self.directory.path.utf8.count - 1)
        let path = "\(self.directory.path)/\(name)"
        let expected: ControlError? = isTooLong ? .pathTooLong(path: path, limit: 107) : nil
        #expect(await Self.startError(path) == expected)
        #expect(Self.connectError(path) == (expected ?? .routerAbsent(path: path)))
    }

    @Test func aRouterThatDoesNotAnswerIsGivenUp() async throws {
        let listener = try SocketListener(path: self.directory.socket)
        let path = self.directory.socket
        let error = try await blocking { () -> ControlError? in
            var client = try ControlClient(path: path, timeout: .milliseconds(20))
            do throws(ControlError) {
                _ = try client.event(of: "status", as: StatusReport.self)
                return nil
            } catch {
                return error
            }
        }
        #expect(error == .timedOut(after: .milliseconds(20)))
        close(listener.descriptor)
        listener.release()
    }

    @Test func aRouterThatClosesInTheMiddleIsNoticed() async throws {
        let listener = try SocketListener(path: self.directory.socket)
        let path = self.directory.socket
        let error = try await blocking { () -> ControlError? in
            var client = try ControlClient(path: path)
            let accepted = accept(listener.descriptor, nil, nil)
            let line = Array("{\"event\":1}\n{\"ev".utf8)
            #expect(write(accepted, line, line.count) == line.count)
            close(accepted)
            do throws(ControlError) {
                #expect(try client.nextEvent(as: Int.self) == 1)
                _ = try client.nextEvent(as: Int.self)
                return nil
            } catch {
                return error
            }
        }
        #expect(error == .connectionClosed)
        close(listener.descriptor)
        listener.release()
    }
}

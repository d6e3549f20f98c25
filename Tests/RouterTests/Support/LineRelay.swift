import Configuration
import Foundation
import HostServices
import Lanes
import Testing

@testable import Router

/// A router with the relay benchmark's two plugins in C: what comes in on a socket goes out on another.
final class LineRelay: Sendable {
    let router: Router
    let log = CapturedLog()
    /// Where lines `sink0@home.test BODY` are taken.
    let port: UInt16
    /// The router's connection that the bodies come out of.
    let sink: TestSocket
    private let folder: TemporaryFolder

    /// Runs `body` with a started router, then stops it and looks for what it has not given back.
    static func with(limits: RouterLimits, _ body: (LineRelay) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        for plugin in ["line_source", "line_sink"] { try build(plugin, in: folder) }
        // Bound and not listening: nobody else is given the port, and the router can listen there.
        let reserved = try TestSocket.bound()
        let listener = try TestSocket.bound(receiveBytes: smallBuffer)
        try listener.listen()
        let relay = try LineRelay(folder, limits, source: reserved.port, sinkListener: listener)
        let result: Result<Void, any Error>
        do {
            _ = try await relay.router.start()
            result = .success(try await body(relay))
        } catch {
            result = .failure(error)
            for line in relay.log.lines.all.suffix(20) { print(line) }
        }
        await relay.router.shutdown()
        #expect(relay.router.core.pools.outstanding == 0, "blocks of memory were not given back")
        withExtendedLifetime(reserved) {}
        try result.get()
    }

    private init(_ folder: TemporaryFolder, _ limits: RouterLimits, source: UInt16, sinkListener: TestSocket) throws {
        let yaml = """
            router: {id: test, state: \(folder.path)/state}
            home: {domains: {home.test: {users: [sink0]}}}
            spool: {durable: false}
            plugin_path: [\(folder.path)]
            providers:
              source: {plugin: line_source, settings: {listen: "127.0.0.1:\(source)"}}
              sink: {plugin: line_sink, settings: {connect: "127.0.0.1:\(sinkListener.port)", sinks: 1}}
            """
        let read = ConfigurationLoader.read(yaml, file: "test.yaml", directory: folder.path)
        router = try Router(
            configuration: try #require(read.configuration, "\(read.problems)"),
            limits: limits,
            logger: log.logger
        )
        self.folder = folder
        port = source
        sink = sinkListener
    }

    /// Kernel buffers of the test's own ends, so that most of what is under way is the router's, in bytes.
    static let smallBuffer: Int32 = 32 << 10

    private static func build(_ plugin: String, in folder: TemporaryFolder) throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardized.path
        let arguments = [
            "cc", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden",
            "-I", "\(root)/Sources/CPlugboard/include", "-o", "\(folder.path)/lib\(plugin).so",
            "\(root)/Tests/Benchmarks/Relay/\(plugin).c",
        ]
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        // Not Foundation's Process: its waitUntilExit runs the run loop of a thread that is the concurrency pool's.
        var compiler: pid_t = 0
        try #require(posix_spawnp(&compiler, "cc", nil, nil, &words, environ) == 0, "there is no cc")
        var status: Int32 = 0
        while waitpid(compiler, &status, 0) == -1, errno == EINTR {}
        try #require(status == 0, "\(plugin).c does not compile")
    }
}

/// A socket of the system's, blocking, on this machine.
final class TestSocket: Sendable {
    let descriptor: Int32
    let port: UInt16

    private init(_ descriptor: Int32, port: UInt16) {
        self.descriptor = descriptor
        self.port = port
    }

    deinit { close(descriptor) }

    /// A socket with a port of its own.
    static func bound(receiveBytes: Int32? = nil) throws -> TestSocket {
        let descriptor = try make(receiveBytes: receiveBytes, sendBytes: nil)
        let result = withName(port: 0) { bind(descriptor, $0, $1) }
        try #require(result == 0, "nothing can be bound")
        var name = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        return TestSocket(descriptor, port: UInt16(bigEndian: name.sin_port))
    }

    /// A connection to a port.
    static func connected(to port: UInt16, sendBytes: Int32) throws -> TestSocket {
        let descriptor = try make(receiveBytes: nil, sendBytes: sendBytes)
        let result = withName(port: port) { connect(descriptor, $0, $1) }
        try #require(result == 0, "port \(port) does not answer")
        return TestSocket(descriptor, port: port)
    }

    func listen() throws { try #require(Foundation.listen(descriptor, 4) == 0) }

    /// Waits for a connection.
    func accepted() throws -> TestSocket {
        let connection = accept(descriptor, nil, nil)
        try #require(connection >= 0)
        return TestSocket(connection, port: port)
    }

    /// Sends as much as finds room; 0 if none came up within `milliseconds`, -1 if the peer is gone.
    func send(_ bytes: ArraySlice<UInt8>, waitingMs milliseconds: Int32) -> Int {
        var polled = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&polled, 1, milliseconds) > 0 else { return 0 }
        return bytes.withUnsafeBytes {
            Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
    }

    /// Waits for bytes; none at the end.
    func receive(_ count: Int = 1 << 16) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = max(0, recv(descriptor, buffer.baseAddress, count, 0))
        }
    }

    /// Sends nothing more.
    func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

    private static func make(receiveBytes: Int32?, sendBytes: Int32?) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        for (option, value) in [(SO_REUSEADDR, 1), (SO_RCVBUF, receiveBytes), (SO_SNDBUF, sendBytes)] {
            guard var value else { continue }
            setsockopt(descriptor, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
        return descriptor
    }

    private static func withName(port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

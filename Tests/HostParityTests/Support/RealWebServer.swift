// For SOCK_STREAM, which the Glibc module leaves out.
import Foundation
import Glibc
import ProviderKit
import ProviderTestKit

/// A web server on 127.0.0.1 that answers by ``WebScript``, with one thread for each connection.
final class RealWebServer: Sendable {
    let port: UInt16
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let (socket, length) = (descriptor, size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && Glibc.listen(socket, 64) == 0 && getsockname(socket, $0, &size) == 0
            }
        }
        guard isBound else { throw POSIXError(.EADDRINUSE) }
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread {
            while true {
                let connection = accept(socket, nil, nil)
                guard connection >= 0 else { return }
                Thread.detachNewThread { Self.serve(connection) }
            }
        }
    }

    func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    /// Answers requests until one is to go wrong, or the client has gone.
    private static func serve(_ connection: Int32) {
        defer { close(connection) }
        var input: [UInt8] = []
        while let request = next(from: connection, &input) {
            let answer = WebScript.answer(request)
            switch answer.fault {
            case .silence:
                // Until the client gives up.
                while read(connection, &input) {}
                return
            case .garbage: return send(connection, Array("no HTTP at all\r\n\r\n".utf8))
            case .cut(let count) where count < 0: return
            case .cut(let count): return send(connection, head(answer) + answer.body.prefix(count))
            case nil: send(connection, head(answer) + answer.body)
            }
        }
    }

    private static func head(_ answer: WebAnswer) -> [UInt8] {
        let fields = answer.fields.map { "\($0.name): \($0.value)\r\n" }.joined()
        return Array("HTTP/1.1 \(answer.status) Said\r\n\(fields)\r\n".utf8)
    }

    private static func next(from connection: Int32, _ input: inout [UInt8]) -> HTTPRequest? {
        while true {
            let text = String(decoding: input, as: UTF8.self)
            if let end = text.range(of: "\r\n\r\n") {
                let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
                let words = lines[0].split(separator: " ")
                let fields = lines.dropFirst().map { line in
                    let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
                    return HTTPField(parts[0], parts.count > 1 ? parts[1] : "")
                }
                let length = fields.first { $0.name.lowercased() == "content-length" }.flatMap { Int($0.value) } ?? 0
                let start = text[..<end.upperBound].utf8.count
                if words.count > 1, input.count >= start + length {
                    let body = Array(input[start..<start + length])
                    input.removeFirst(start + length)
                    let own = fields.filter { !["host", "content-length"].contains($0.name.lowercased()) }
                    return HTTPRequest("\(words[0])", "http://127.0.0.1\(words[1])", fields: own, body: body)
                }
            }
            guard read(connection, &input) else { return nil }
        }
    }

    private static func read(_ connection: Int32, _ input: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(connection, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        input += buffer[..<count]
        return true
    }

    private static func send(_ connection: Int32, _ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

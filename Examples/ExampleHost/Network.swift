internal import Directory
internal import Foundation
internal import IMModel
internal import Router

/// Both organisations, and all that they share: an authority, and ports to meet at.
struct Network {
    let north: Organisation
    let south: Organisation

    /// In the order in which they are shown.
    var organisations: [Organisation] { [north, south] }

    /// Makes certificates, configurations and routers below `folder`.
    init(in folder: Folder, journey: Journey) throws {
        let authority = try CertificateAuthority(name: "Plugboard example authority")
        try folder.write(try authority.pem, to: Organisation.authorityFile)
        let ports = try LoopbackPorts.choose(2)
        let northern = Organisation.Plan(name: "north", users: ["alice", "ann"], port: ports[0])
        let southern = Organisation.Plan(name: "south", users: ["bob", "ben"], port: ports[1])
        north = try Organisation(northern, partner: southern, authority: authority, in: folder, journey: journey)
        south = try Organisation(southern, partner: northern, authority: authority, in: folder, journey: journey)
        for organisation in [north, south] {
            _ = organisation.router.inbox.follow { journey.received($0, by: organisation.plan.name) }
        }
    }

    /// The organisation that an address is one of; nil for everybody else.
    func home(of address: Address) -> Organisation? {
        organisations.first { $0.plan.domain == address.domain }
    }

    /// Starts both routers, and stops them when `body` is over, however it ends.
    ///
    /// - Throws: what `body` throws; ``ExampleError`` if a router, or one of its providers, does not run.
    func run<T: Sendable>(_ body: () async throws -> T) async throws -> T {
        let result: Result<T, any Error>
        do {
            for organisation in organisations { try await organisation.start() }
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        // In a task of its own: this one may be cancelled, and then nothing in it can wait.
        await Task { await shutdown() }.value
        return try result.get()
    }

    /// Lets both routers finish what they have begun, and stops them.
    private func shutdown() async {
        async let northern: Void = north.router.shutdown()
        async let southern: Void = south.router.shutdown()
        _ = await (northern, southern)
    }
}

/// Ports on 127.0.0.1 that nobody listens on.
enum LoopbackPorts {
    /// Asks the system for free ports, and gives them back at once.
    ///
    /// Another program could take one before it is used. The sockets are all open at the same time, so that
    /// no port comes twice.
    static func choose(_ count: Int) throws(ExampleError) -> [UInt16] {
        var sockets: [Int32] = []
        defer { for descriptor in sockets { close(descriptor) } }
        var ports: [UInt16] = []
        for _ in 0..<count {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            guard descriptor >= 0 else { throw .noFreePort(reason: String(cString: strerror(errno))) }
            sockets.append(descriptor)
            ports.append(try bindToFreePort(descriptor))
        }
        return ports
    }

    private static func bindToFreePort(_ descriptor: Int32) throws(ExampleError) -> UInt16 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard isBound else { throw .noFreePort(reason: String(cString: strerror(errno))) }
        return UInt16(bigEndian: address.sin_port)
    }
}

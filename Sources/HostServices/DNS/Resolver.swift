import Glibc
package import NIOCore

/// How to resolve names.
package struct ResolverOptions: Hashable, Sendable {
    /// DNS servers as "192.0.2.53", "192.0.2.53:5353" or "[2001:db8::53]:53"; empty takes the system's.
    package var servers: [String]
    /// Host names with fixed addresses, asked before DNS.
    package var hosts: [String: [String]]
    /// A file of more such hosts, as hosts(5); nil for none, and a file that cannot be read counts as none.
    package var hostsFile: String?
    /// For the first attempt at one server, in milliseconds; later ones wait longer.
    package var timeoutMs: Int32
    /// Attempts at each server.
    package var triesMax: Int32
    /// Records of one answer that are kept.
    package var answersMax: Int

    package init(
        servers: [String] = [],
        hosts: [String: [String]] = [:],
        hostsFile: String? = "/etc/hosts",
        timeoutMs: Int32 = 3000,
        triesMax: Int32 = 3,
        answersMax: Int = 32
    ) {
        self.servers = servers
        self.hosts = hosts
        self.hostsFile = hostsFile
        self.timeoutMs = timeoutMs
        self.triesMax = triesMax
        self.answersMax = answersMax
    }
}

/// Why a resolver cannot be set up.
package enum ResolverError: Error, Hashable, Sendable {
    /// The list of servers cannot be understood.
    case invalidServers([String])
    /// A configured host has no name, no address, or a bad one.
    case invalidHost(name: String, address: String)
    /// c-ares could not start: what it said.
    case unusable(String)
}

extension ResolverError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalidServers(let servers):
            "DNS servers \(servers.joined(separator: ", ")) are not all of the form 192.0.2.53:53 or [2001:db8::53]:53"
        case .invalidHost(let name, let address):
            "host \"\(name)\" needs a valid name and IP addresses, not \"\(address)\""
        case .unusable(let reason):
            "the DNS resolver cannot start: \(reason)"
        }
    }
}

/// Asks DNS.
///
/// One serves all instances of a router. Any thread.
///
/// c-ares does the asking on a thread of the resolver's own, which sleeps in poll(2) when there is nothing to do.
package final class Resolver: Sendable {
    private let hosts: HostsTable
    private let thread: CaresThread

    /// Starts the resolver's thread.
    ///
    /// Stop it with ``shutdown()``.
    package init(_ options: ResolverOptions) throws(ResolverError) {
        let file = options.hostsFile.flatMap { path in try? FileBytes.read(path) } ?? []
        self.hosts = try HostsTable(configured: options.hosts, file: file)
        self.thread = try CaresThread(options)
    }

    /// Finds the answer and calls `done` on `eventLoop`, always later, once.
    ///
    /// Answers cannot be had faster by asking twice: callers bound what they ask.
    package func resolve(
        _ question: DNSQuestion,
        on eventLoop: any EventLoop,
        _ done: @escaping @Sendable (Result<DNSAnswer, ResolveError>) -> Void
    ) {
        func answer(_ result: Result<DNSAnswer, ResolveError>) {
            eventLoop.execute { done(result) }
        }
        if case .addresses(let host) = question, let address = IPAddress(host) {
            return answer(.success(.addresses([address])))
        }
        guard let name = DNSName.checked(question.name) else { return answer(.failure(.invalidName)) }
        if case .addresses = question, let known = hosts[name] {
            return answer(.success(.addresses(known)))
        }
        thread.ask(question.renamed(name)) { result in eventLoop.execute { done(result) } }
    }

    /// Stops the thread and waits for it.
    ///
    /// Questions without an answer fail as cancelled, and so do later ones.
    package func shutdown() {
        thread.stop()
    }

    deinit { thread.stop() }
}

extension DNSQuestion {
    fileprivate func renamed(_ name: String) -> DNSQuestion {
        switch self {
        case .addresses: .addresses(name)
        case .services: .services(name)
        case .texts: .texts(name)
        }
    }
}

internal import Configuration
internal import Foundation
internal import Logging
internal import Router

/// One organisation: its domain, its users, and the router that serves them.
struct Organisation {
    /// What is decided before anything is made, so that the other organisation can be told.
    struct Plan {
        /// The router's name, and the first part of the domain.
        let name: String
        let users: [String]
        /// Where it listens on 127.0.0.1 for its partner.
        let port: UInt16

        /// From the names that are reserved for examples (RFC 2606).
        var domain: String { "\(name).example" }
        /// Where the echo provider answers.
        var echo: String { "echo@\(domain)" }
    }

    let plan: Plan
    /// The configuration file, as an operator would write it.
    let configurationFile: String
    /// The embedded router.
    let router: Router

    /// In the folder that all organisations share.
    static let authorityFile = "authority.pem"

    /// Writes key, certificate and configuration, and makes the router.
    init(
        _ plan: Plan,
        partner: Plan,
        authority: CertificateAuthority,
        in shared: Folder,
        journey: Journey
    ) throws {
        self.plan = plan
        let folder = try shared.folder(plan.name)
        let identity = try authority.issue(domain: plan.domain)
        try folder.write(identity.certificate, to: "certificate.pem")
        try folder.write(identity.key, to: "key.pem", isSecret: true)
        configurationFile = try folder.write(Self.configuration(plan, partner: partner), to: "plugboard.yaml")

        let (configuration, problems) = ConfigurationLoader.load(configurationFile)
        guard let configuration else { throw ExampleError.configuration(problems.map(\.description)) }
        router = try Router(
            configuration: configuration,
            logger: Self.logger(plan.name, configuration.router.log, journey),
            observer: journey
        )
    }

    /// The whole configuration of one organisation.
    ///
    /// The plugins' files are found beside the executable. `proxy` says where the partner is, in place of DNS.
    private static func configuration(_ plan: Plan, partner: Plan) -> String {
        """
        router:
          id: \(plan.name)
          state: state
          log: warning

        home:
          domains:
            \(plan.domain):
              users: [\(plan.users.joined(separator: ", "))]

        tls:
          trust: [../\(Self.authorityFile)]
          identities:
            \(plan.domain):
              certificate: certificate.pem
              key: file:key.pem

        spool:
          retry:
            first: 1s

        providers:
          xmpp:
            plugin: XMPP
            settings:
              listen: ["127.0.0.1:\(plan.port)"]
              partners:
                - domain: \(partner.domain)
                  proxy: 127.0.0.1:\(partner.port)
                  tls: required
                  sasl: required
          echo:
            plugin: EchoProvider
            settings:
              address: \(plan.echo)
              prefix: "You wrote: "

        """
    }

    private static func logger(_ name: String, _ level: LogLevel, _ journey: Journey) -> Logger {
        var logger = Logger(label: name) { JourneyLog(router: $0, journey: journey) }
        logger.logLevel = Logger.Level(rawValue: level.rawValue) ?? .warning
        return logger
    }

    /// Starts the router, and makes sure that all its providers run.
    ///
    /// A router leaves aside what cannot run, so that one broken plugin stops no other. The example needs them all.
    func start() async throws {
        let setups = try await router.start()
        let running = await router.status().instances.filter { $0.state == "running" }.map(\.name)
        for setup in setups where !running.contains(setup.name) {
            throw ExampleError.notRunning(provider: setup.name, router: plan.name)
        }
    }
}

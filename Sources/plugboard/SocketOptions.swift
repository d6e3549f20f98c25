internal import ArgumentParser
internal import Configuration
internal import ControlSocket

/// Which running router a command talks to.
struct SocketOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The control socket of the router; without it, the one that the configuration file names.",
            valueName: "path"
        )
    )
    var socket: String?

    @OptionGroup var configuration: ConfigurationOptions

    /// Connects to the router, and says what went wrong on the standard error.
    ///
    /// - Throws: an ``ExitStatus``.
    func withClient(_ body: (inout ControlClient) throws -> Void) throws {
        let path = try self.socket ?? self.configuration.load().router.control
        do {
            var client = try ControlClient(path: path)
            try body(&client)
        } catch let error as ControlError {
            Output.error("error: \(Output.plain(error.description))")
            switch error {
            case .routerAbsent, .accessDenied, .system, .connectionClosed, .timedOut:
                throw ExitStatus.unavailable
            case .refused, .pathTooLong, .lineTooLong, .malformed, .alreadyRunning, .notASocket, .directoryUnsafe:
                throw ExitStatus.problem
            }
        }
    }
}

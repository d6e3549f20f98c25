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
    /// - Parameters:
    ///   - isFileSound: whether a configuration file with errors is no good for finding the socket; a reload asks the
    ///     router to find the errors.
    ///   - timeout: the longest wait for the router to take or send something.
    /// - Throws: an ``ExitStatus``.
    func withClient<Result>(
        isFileSound: Bool = true,
        timeout: Duration = .seconds(10),
        _ body: (inout ControlClient) throws -> Result
    ) throws -> Result {
        let path = try self.socket ?? (isFileSound ? self.configuration.load() : self.draft()).router.control
        do {
            var client = try ControlClient(path: path, timeout: timeout)
            return try body(&client)
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

    /// What the configuration file says, errors or not.
    private func draft() throws -> RouterConfiguration {
        let (draft, problems) = ConfigurationLoader.examine(self.configuration.file)
        guard let draft else {
            for problem in problems { Output.error(Output.plain(problem.description)) }
            throw ExitStatus.problem
        }
        return draft
    }
}

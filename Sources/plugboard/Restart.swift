internal import Glibc
internal import Logging
internal import Router
internal import Telemetry

/// Starts the process anew when a plugin holds up a thread that others need.
///
/// Nothing is lost by it that the spool has: accepted messages are on disk, and a thread that does not return cannot be
/// ended in any other way.
enum Restart {
    private static let descriptorMax = min(max(Int32(clamping: sysconf(Int32(_SC_OPEN_MAX))), 1024), 65_536)

    /// What whoever started the process left open for it, such as a supervisor that waits for its end: the new process
    /// keeps it.
    ///
    /// To be asked for before the process opens anything; what it opens itself is closed at an exec anyway, or is in no
    /// such list.
    static let inherited = Set((3..<descriptorMax).filter { fcntl($0, F_GETFD) & FD_CLOEXEC == 0 })

    /// Notes the provider, so that it is not started again, and replaces the process by a new one.
    ///
    /// Any thread; it does not return, unless the system refuses.
    static func without(_ lost: LostProvider, state: String, logger: Logger) {
        do {
            try Quarantine(state: state).add(lost.name, because: lost.reason)
        } catch {
            logger.log(
                .critical,
                "a provider cannot be put into quarantine, so the router is not restarted",
                [.provider: lost.name, .reason: "\(error)"]
            )
            return
        }
        logger.log(
            .critical,
            "the router restarts itself without a provider that does not return",
            [.provider: lost.name, .reason: lost.reason]
        )
        // Sockets and files of the old process must not live on in the new one (close_range(2)).
        for descriptor in 3..<descriptorMax where !inherited.contains(descriptor) {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
        // What this thread holds back would be held back for the new process (execve(2), "signal mask").
        var signals = sigset_t()
        sigemptyset(&signals)
        pthread_sigmask(SIG_SETMASK, &signals, nil)
        var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
        arguments.append(nil)
        execv("/proc/self/exe", &arguments)
        logger.log(.critical, "the router cannot be restarted", [.reason: String(cString: strerror(errno))])
        _exit(EXIT_FAILURE)
    }
}

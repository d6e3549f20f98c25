import CCares
import Glibc
import NIOConcurrencyHelpers

/// A thread that runs one c-ares channel.
// Safe: the mailbox is guarded by its lock; everything else is set before the thread starts, or used on it alone.
final class CaresThread: @unchecked Sendable {
    private struct Mailbox {
        var questions: [PendingQuestion] = []
        var isStopping = false
        var thread: pthread_t?
    }

    private let mailbox = NIOLockedValueBox(Mailbox())
    /// Two connected sockets: the thread polls one, others write a byte to the other.
    private let wakeUp: (read: Int32, write: Int32)
    private let answersMax: Int
    // Thread's own from here on.
    private var channel: ares_channel?
    /// The sockets c-ares wants to hear about: whether for reading, for writing.
    private var sockets: [Int32: Int16] = [:]

    init(_ options: ResolverOptions) throws(ResolverError) {
        self.answersMax = options.answersMax
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw .unusable(SystemError.text(errno)) }
        self.wakeUp = (ends[0], ends[1])
        do throws(ResolverError) {
            try openChannel(options)
            try start()
        } catch {
            if let channel { ares_destroy(channel) }
            throw error
        }
    }

    deinit {
        close(wakeUp.read)
        close(wakeUp.write)
    }

    /// Asks; `done` is called once, on the resolver's thread or, after ``stop()``, on the caller's.
    func ask(_ question: DNSQuestion, _ done: @escaping @Sendable (Result<DNSAnswer, ResolveError>) -> Void) {
        let pending = PendingQuestion(question, answersMax: answersMax, done: done)
        let isTaken = mailbox.withLockedValue { box in
            guard !box.isStopping else { return false }
            box.questions.append(pending)
            return true
        }
        if isTaken { signal() } else { done(.failure(.cancelled)) }
    }

    /// Stops the thread and waits for its end.
    func stop() {
        let thread = mailbox.withLockedValue { box in
            box.isStopping = true
            defer { box.thread = nil }
            return box.thread
        }
        guard let thread else { return }
        signal()
        // The last reference may be dropped on the thread itself, which then ends on its own.
        if pthread_equal(thread, pthread_self()) != 0 { pthread_detach(thread) } else { pthread_join(thread, nil) }
    }

    private func signal() {
        // A full socket has woken the thread already.
        var byte: UInt8 = 1
        _ = write(wakeUp.write, &byte, 1)
    }

    // MARK: - Start

    private func openChannel(_ options: ResolverOptions) throws(ResolverError) {
        var settings = ares_options()
        settings.timeout = options.timeoutMs
        settings.tries = options.triesMax
        settings.sock_state_cb = { context, socket, readable, writable in
            guard let context else { return }
            let owner = Unmanaged<CaresThread>.fromOpaque(context).takeUnretainedValue()
            let events = Int16((readable != 0 ? POLLIN : 0) | (writable != 0 ? POLLOUT : 0))
            owner.sockets[socket] = events == 0 ? nil : events
        }
        // Unretained: the channel is destroyed before this object can go, as the thread retains it.
        settings.sock_state_cb_data = Unmanaged.passUnretained(self).toOpaque()
        let mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB
        let status = ares_init_options(&channel, &settings, mask)
        guard status == ARES_SUCCESS else { throw .unusable(String(cString: ares_strerror(status))) }
        guard !options.servers.isEmpty else { return }
        guard ares_set_servers_ports_csv(channel, options.servers.joined(separator: ",")) == ARES_SUCCESS else {
            throw .invalidServers(options.servers)
        }
    }

    private func start() throws(ResolverError) {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let status = pthread_create(
            &thread,
            nil,
            { context in
                guard let context else { return nil }
                Unmanaged<CaresThread>.fromOpaque(context).takeRetainedValue().loop()
                return nil
            },
            context.toOpaque()
        )
        guard status == 0 else {
            context.release()
            throw .unusable(SystemError.text(status))
        }
        mailbox.withLockedValue { $0.thread = thread }
    }

    // MARK: - The thread

    private func loop() {
        guard let channel else { return }
        while true {
            let (questions, isStopping) = mailbox.withLockedValue { box in
                defer { box.questions = [] }
                return (box.questions, box.isStopping)
            }
            if isStopping {
                for question in questions { question.cancel() }
                break
            }
            for question in questions { question.send(on: channel) }
            waitAndProcess(channel)
        }
        // Calls back every open question as cancelled.
        ares_destroy(channel)
    }

    private func waitAndProcess(_ channel: ares_channel) {
        var polled = [pollfd(fd: wakeUp.read, events: Int16(POLLIN), revents: 0)]
        for (socket, events) in sockets { polled.append(pollfd(fd: socket, events: events, revents: 0)) }
        var most = timeval(tv_sec: 3600, tv_usec: 0)
        var time = timeval()
        let wait = ares_timeout(channel, &most, &time)?.pointee ?? most
        let waitMs = Int32(clamping: Int(wait.tv_sec) * 1000 + (Int(wait.tv_usec) + 999) / 1000)
        guard poll(&polled, nfds_t(polled.count), waitMs) > 0 else {
            ares_process_fd(channel, CaresThread.noSocket, CaresThread.noSocket)
            return
        }
        for entry in polled where entry.revents != 0 {
            if entry.fd == wakeUp.read {
                var bytes = [UInt8](repeating: 0, count: 64)
                while read(wakeUp.read, &bytes, bytes.count) == bytes.count {}
                continue
            }
            let failed = Int32(entry.revents) & (POLLERR | POLLHUP | POLLNVAL) != 0
            let readable = failed || Int32(entry.revents) & POLLIN != 0
            let writable = Int32(entry.revents) & POLLOUT != 0
            ares_process_fd(
                channel,
                readable ? entry.fd : CaresThread.noSocket,
                writable ? entry.fd : CaresThread.noSocket
            )
        }
        // Deadlines pass too while answers keep coming.
        ares_process_fd(channel, CaresThread.noSocket, CaresThread.noSocket)
    }

    /// `ARES_SOCKET_BAD`, a macro with a cast.
    private static let noSocket: ares_socket_t = -1
}

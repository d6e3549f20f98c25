internal import CPlugboard
internal import HostServices
internal import Logging

/// What the `context` of a host table points to: the way from a plugin's call to its instance.
///
/// It is there before the instance is, so that a plugin can keep the pointer that create() shows it.
final class HostContext {
    /// The instance; nil before create() has returned.
    // Safe: the instance holds its context, so it is there as long as this is.
    @exclusivity(unchecked) var unmanagedInstance: Unmanaged<Instance>?
    /// The same, with a count of references.
    var instance: Instance? { unmanagedInstance?.takeUnretainedValue() }
    /// Where the plugin's own lines go, from any thread.
    let log: PluginLog

    init(logger: Logger) {
        log = PluginLog(logger)
    }
}

/// The host table that every instance is given; its functions find the instance in the context.
enum HostTable {
    /// A table for the plugin's calls with this context, which has to live as long as the table.
    static func make(_ context: HostContext) -> plugboard_host_t {
        var table = plugboard_host_t()
        table.context = Unmanaged.passUnretained(context).toOpaque()
        table.struct_size = UInt32(MemoryLayout<plugboard_host_t>.size)
        table.abi_version = PLUGBOARD_ABI_VERSION
        addEnvelopes(&table)
        addStreams(&table)
        addTime(&table)
        table.log = { context, level, message in
            guard let context, message.isWellFormed else { return }
            Unmanaged<HostContext>.fromOpaque(context).takeUnretainedValue().log.write(level, message)
        }
        table.extension = { _, id in
            id.flatMap { HostExtensions.table(String(cString: $0)) }
        }
        return table
    }

    /// Whether a provider's table is long enough and has no gap.
    static func isComplete(_ table: UnsafePointer<plugboard_provider_t>) -> Bool {
        guard table.pointee.struct_size >= ABISize.provider else { return false }
        let functions = MemoryLayout<plugboard_provider_t>.offset(of: \.start) ?? 0
        let count = (ABISize.provider - functions) / MemoryLayout<UInt>.size
        let words = UnsafeRawPointer(table) + functions
        return (0..<count).allSatisfy { words.load(fromByteOffset: $0 * MemoryLayout<UInt>.size, as: UInt.self) != 0 }
    }

    /// Calls `body` with the instance that a call is for, if it may use the host now; counts no reference.
    ///
    /// For the calls that every message makes.
    @inline(__always)
    private static func onActive(
        _ context: UnsafeMutableRawPointer?,
        _ body: (Instance) -> plugboard_status_t
    ) -> plugboard_status_t {
        guard let context else { return PLUGBOARD_E_SHUTDOWN }
        return Unmanaged<HostContext>.fromOpaque(context)._withUnsafeGuaranteedRef { context in
            // It is there during the call, for it is what makes the plugin call.
            guard let instance = context.unmanagedInstance else { return PLUGBOARD_E_SHUTDOWN }
            return instance._withUnsafeGuaranteedRef { $0.isActive ? body($0) : PLUGBOARD_E_SHUTDOWN }
        }
    }

    /// The instance that a call is for, if it may use the host now.
    static func active(_ context: UnsafeMutableRawPointer?) -> Instance? {
        guard let context else { return nil }
        let found = Unmanaged<HostContext>.fromOpaque(context).takeUnretainedValue().instance
        guard let found, found.isActive else { return nil }
        return found
    }

    private static func addEnvelopes(_ table: inout plugboard_host_t) {
        table.submit = { context, envelope, cookie in
            HostTable.onActive(context) { instance in
                guard !instance.isStopping else { return PLUGBOARD_E_SHUTDOWN }
                guard let envelope else { return PLUGBOARD_E_INVALID }
                let status = instance.router.submit(envelope, cookie: cookie, from: instance)
                if status == PLUGBOARD_BUSY { instance.wasRefused = true }
                return status
            }
        }
        table.complete = { context, token, outcome in
            HostTable.onActive(context) { instance in
                guard let outcome, outcome.pointee.struct_size >= ABISize.outcome else { return PLUGBOARD_E_INVALID }
                return instance.router.complete(token, outcome, from: instance)
            }
        }
        table.ready = { context in
            guard let instance = HostTable.active(context) else { return }
            instance.router.ready(instance)
        }
        table.claim = { context, scope, subject in
            guard let instance = HostTable.active(context), !instance.isStopping else { return PLUGBOARD_E_SHUTDOWN }
            do throws(FlatEnvelope.Flaw) {
                try FlatEnvelope.checkSubject(subject)
            } catch {
                return error == .tooLarge ? PLUGBOARD_E_LIMIT : PLUGBOARD_E_INVALID
            }
            return instance.router.claim(scope, subject, by: instance)
        }
    }

    private static func addTime(_ table: inout plugboard_host_t) {
        table.start_timer = { context, delay, user, result in
            guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
            guard let result else { return PLUGBOARD_E_INVALID }
            return HostTable.status { () throws(ServiceError) in
                let timer = try instance.timers.start(afterMs: delay)
                instance.timerUsers[timer] = user
                result.pointee = timer.rawValue
            }
        }
        table.cancel_timer = { context, timer in
            guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
            let handle = TimerHandle(rawValue: timer)
            instance.timerUsers[handle] = nil
            return HostTable.status { () throws(ServiceError) in try instance.timers.cancel(handle) }
        }
        table.wall_ms = { _ in HostClock.wallMs() }
        table.monotonic_ns = { _ in HostClock.monotonicNs() }
        table.random = { _, buffer, count in
            guard let buffer, count > 0 else { return }
            HostRandom.fill(UnsafeMutableRawBufferPointer(start: buffer, count: count))
        }
        table.resolve = { context, type, name, user, result in
            guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
            guard let result, name.isWellFormed, let question = DNSQuestion(abi: type, name: name.string) else {
                return PLUGBOARD_E_INVALID
            }
            return HostTable.status { () throws(ServiceError) in
                let query = try instance.resolutions.resolve(question)
                instance.queryUsers[query] = user
                result.pointee = query.rawValue
            }
        }
    }

    /// Runs a service call and turns its error into a status.
    static func status(_ call: () throws(ServiceError) -> Void) -> plugboard_status_t {
        do {
            try call()
            return PLUGBOARD_OK
        } catch {
            return error.status
        }
    }
}

extension ServiceError {
    /// The status that a plugin sees.
    var status: plugboard_status_t {
        switch self {
        case .unknownHandle: PLUGBOARD_E_HANDLE
        case .closing, .badState: PLUGBOARD_E_STATE
        case .limitReached, .writeBufferFull: PLUGBOARD_E_LIMIT
        case .invalidArgument: PLUGBOARD_E_INVALID
        case .cannotListen: PLUGBOARD_E_SYSTEM
        case .conflict: PLUGBOARD_E_CONFLICT
        case .unknownIdentity, .tlsUnusable, .notConfigured: PLUGBOARD_E_UNSUPPORTED
        case .stopped: PLUGBOARD_E_SHUTDOWN
        }
    }
}

extension DNSQuestion {
    fileprivate init?(abi type: UInt32, name: String) {
        switch type {
        case PLUGBOARD_RECORD_ADDRESS: self = .addresses(name)
        case PLUGBOARD_RECORD_SRV: self = .services(name)
        case PLUGBOARD_RECORD_TXT: self = .texts(name)
        default: return nil
        }
    }
}

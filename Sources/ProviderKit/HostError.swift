internal import CPlugboard

/// Why the host did not do what a provider asked.
public enum HostError: Error, Hashable, Sendable {
    /// An argument is malformed or out of range.
    case invalidArgument
    /// The stream, listener or timer is closed, or was never this instance's.
    case unknownHandle
    /// The call does not fit the present state, such as a write during a TLS handshake.
    case badState
    /// A limit of the host is reached.
    case limitReached
    /// The host or its configuration does not provide this.
    case unsupported
    /// The system refused; the host logged the details.
    case system
    /// The instance is stopping.
    case shuttingDown
    /// Another instance holds what was asked for.
    case conflict

    init(_ status: plugboard_status_t) {
        switch status {
        case PLUGBOARD_E_HANDLE: self = .unknownHandle
        case PLUGBOARD_E_STATE: self = .badState
        case PLUGBOARD_E_LIMIT: self = .limitReached
        case PLUGBOARD_E_UNSUPPORTED: self = .unsupported
        case PLUGBOARD_E_SYSTEM: self = .system
        case PLUGBOARD_E_SHUTDOWN: self = .shuttingDown
        case PLUGBOARD_E_CONFLICT: self = .conflict
        default: self = .invalidArgument
        }
    }

    /// Throws for a negative status.
    static func check(_ status: plugboard_status_t) throws(HostError) {
        if status < 0 { throw HostError(status) }
    }
}

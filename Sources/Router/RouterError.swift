/// Why a router does not start.
package enum RouterError: Error, CustomStringConvertible {
    /// The state folder cannot be made or written.
    case stateFolder(path: String, reason: String)
    /// The spool or the inbox cannot be opened.
    case storage(String)
    /// A certificate, a key or the trusted roots cannot be used.
    case tls(String)
    /// The resolver cannot be set up.
    case resolver(String)
    /// The home users cannot be served.
    case home(String)

    package var description: String {
        switch self {
        case .stateFolder(let path, let reason):
            "the state folder \(path) cannot be used: \(reason); check router.state"
        case .storage(let reason): reason
        case .tls(let reason): "TLS cannot be set up: \(reason)"
        case .resolver(let reason): "name resolution cannot be set up: \(reason)"
        case .home(let reason): reason
        }
    }
}

package import OSCARWire

/// Why an account could not be signed on.
package enum SignOnFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The server refused the login.
    case refused(LoginFailure)
    /// The server ended the session before it began; the number is its reason.
    case signedOff(reason: UInt16?)
    /// The connection was closed without a word. Servers do that to a cookie that is not good any more.
    case closed(during: SignOnStep)
    /// The server did not go on in time.
    case timedOut(during: SignOnStep)
    /// The server sent what cannot be read.
    case unreadable(OSCARWireError, during: SignOnStep)
    /// The server refused a request that nothing works without.
    case requestRefused(SNACKind, SNACError.Code)

    /// What is to be done about it.
    package enum Remedy: Hashable, Sendable {
        /// Nothing helps before the account's user, or its operator, has changed something.
        case stop
        /// Try again, after the usual pause.
        case retry
        /// Try again, much later: the server counts logins.
        case retrySlowly
    }

    /// What is to be done about it.
    package var remedy: Remedy {
        switch self {
        case .refused(let failure):
            switch failure {
            case .tooFast, .tooManyConnections: .retrySlowly
            case .unknownName, .wrongPassword, .deleted, .expired, .suspended, .suspendedForAge: .stop
            // What is not known may count as a wrong password, and be counted.
            default: failure.rawValue == 0x04 ? .stop : .retrySlowly
            }
        // Whoever signed on elsewhere is not fought.
        case .signedOff(let reason): reason == nil ? .retry : .retrySlowly
        case .closed, .timedOut, .requestRefused: .retry
        case .unreadable: .retrySlowly
        }
    }

    package var description: String {
        switch self {
        case .refused(let failure): "The server refuses the login: \(failure)."
        case .signedOff(let reason):
            "The server ended the session\(reason.map { " with reason \($0)" } ?? "") before it began."
        case .closed(let step): "The server closed the connection while \(step)."
        case .timedOut(let step): "The server did not answer in time while \(step)."
        case .unreadable(let error, let step): "The server sent something unreadable while \(step): \(error)"
        case .requestRefused(let kind, let code): "The server refuses the request \(kind): \(code)."
        }
    }
}

/// How far a sign-on has come.
package enum SignOnStep: Hashable, Sendable, CustomStringConvertible {
    /// The first frame of the login server is awaited.
    case greeting
    /// The key for the digest is awaited.
    case challenge
    /// The verdict on the password is awaited.
    case verdict
    /// The connection to the server of the session, and its first frame, are awaited.
    case secondGreeting
    /// The server's food groups are awaited.
    case foodGroups
    /// The server's versions are awaited.
    case versions
    /// The rate classes are awaited.
    case rates
    /// The server's limits are awaited.
    case limits
    /// The stored list is awaited.
    case list
    /// The session has begun.
    case signedOn
    /// It has failed.
    case failed

    package var description: String {
        switch self {
        case .greeting: "waiting for the login server's greeting"
        case .challenge: "waiting for the key of the digest"
        case .verdict: "waiting for the verdict on the password"
        case .secondGreeting: "waiting for the greeting of the session's server"
        case .foodGroups: "waiting for the server's food groups"
        case .versions: "waiting for the server's versions"
        case .rates: "waiting for the rate classes"
        case .limits: "waiting for the server's limits"
        case .list: "waiting for the stored list"
        case .signedOn: "signed on"
        case .failed: "nothing was expected any more"
        }
    }
}

package import CPlugboard

// The host's side of the ABI in Swift terms, for simulated hosts: what a plugin reads they write, and the other way
// round.

extension Envelope {
    /// Copies an envelope that a plugin lends.
    ///
    /// - Returns: nil for a kind or a value that this version of the kit does not know.
    package static func read(_ pointer: UnsafePointer<plugboard_envelope_t>) -> Envelope? {
        Envelope(borrowing: pointer)
    }

    /// Lends the envelope in the ABI's form for the duration of `body`.
    package func lend<R>(_ body: (UnsafePointer<plugboard_envelope_t>) -> R) -> R { withABI(body) }
}

extension Outcome {
    /// Copies an outcome that a plugin lends.
    package static func read(_ pointer: UnsafePointer<plugboard_outcome_t>) -> Outcome { Outcome(pointer.pointee) }

    /// Lends the outcome in the ABI's form for the duration of `body`.
    package func lend<R>(_ body: (UnsafePointer<plugboard_outcome_t>) -> R) -> R { withABI(body) }
}

extension Stream {
    /// The session behind the `user` pointer of a stream.
    ///
    /// Only for pointers that this very copy of the kit handed out, before `closed` has returned.
    package static func session(of user: UnsafeMutableRawPointer?) -> (any StreamSession)? {
        StreamBox.from(user)?.session
    }
}

package import CPlugboard

/// What stands behind the envelope functions of the host table: the router.
///
/// All calls come on the instance's worker, possibly from inside a call that the router made into
/// the instance; the router queues what would call back.
package protocol EnvelopeRouter: AnyObject {
    /// An instance hands in an envelope. Borrowed; nothing in it has been checked.
    func submit(
        _ envelope: UnsafePointer<plugboard_envelope_t>,
        cookie: UInt64,
        from instance: Instance
    ) -> plugboard_status_t

    /// An instance settles an envelope that it took.
    func complete(
        _ token: UInt64,
        _ outcome: UnsafePointer<plugboard_outcome_t>,
        from instance: Instance
    ) -> plugboard_status_t

    /// An instance asks for the rest of what it was offered.
    func ready(_ instance: Instance)

    /// An instance claims a domain or an address.
    func claim(_ scope: UInt32, _ subject: plugboard_bytes_t, by instance: Instance) -> plugboard_status_t
}

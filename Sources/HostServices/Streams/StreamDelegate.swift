/// What a delegate did with the input it was offered.
package struct Consumption: Hashable, Sendable {
    /// Bytes used up, from the front; the rest is kept and offered again with more data.
    package var bytes: Int
    /// Whether the delegate stopped for want of room (its submit was refused).
    ///
    /// The stream then stops reading, and the rest is offered again after ``StreamService/resume(_:)``.
    package var refused: Bool

    /// Took `bytes` and wants more data.
    package static func consumed(_ bytes: Int) -> Consumption { Consumption(bytes: bytes, refused: false) }

    /// Took `bytes` and can take no more until resumed.
    package static func refused(_ bytes: Int) -> Consumption { Consumption(bytes: bytes, refused: true) }
}

/// One instance's ears.
///
/// Every call comes on the worker's loop, outside of any call into ``StreamService``.
///
/// The order for one stream: `accepted` (if it was) → `opened` → (`received` | `writable` | `opened` after STARTTLS)* →
/// `closed`, once. A stream that fails before it is open gets `closed` alone.
package protocol StreamDelegate: AnyObject {
    /// A connection came in on `listener`. Answer false to drop it: no other call is made for it then.
    func accepted(_ stream: StreamHandle, on listener: ListenerHandle) -> Bool

    /// The stream can carry data: connected, and its TLS handshake done if it has one (`tls` says how it went). Called a
    /// second time when TLS is up after ``StreamService/startTLS(_:_:)``.
    func opened(_ stream: StreamHandle, tls: TLSInfo?)

    /// Input to be consumed from the front. `bytes` is borrowed until the call returns.
    func received(_ stream: StreamHandle, _ bytes: UnsafeRawBufferPointer) -> Consumption

    /// The stream drained after a write had answered `.high`.
    func writable(_ stream: StreamHandle)

    /// The stream is gone and its handle stale when this returns. Input the delegate did not consume was offered before.
    func closed(_ stream: StreamHandle, _ reason: CloseReason)
}

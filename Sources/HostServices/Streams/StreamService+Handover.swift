import NIOCore

/// Listening sockets that go from an instance to its successor.
///
/// The address can be bound once, and the connections that wait at the socket must not be lost. So the successor, while it
/// starts, is given another descriptor of its predecessor's socket where it asks for the same address and port. It accepts
/// nothing before the end of that tick. If it has started by then, the predecessor closes its own descriptor in the same
/// tick, and all connections are the successor's; if it has not, the successor's are closed, and nothing has happened.
extension StreamService {
    /// Lets ``listen(_:)`` share the sockets of an instance that this one is to replace; nil: of none any more.
    package func inheritListeners(of predecessor: StreamService?) {
        worker.preconditionOnLoop()
        inheritable = predecessor?.listeners.elements ?? []
    }

    /// Stops all listeners.
    ///
    /// Streams that were accepted stay. A listener's handle stays valid, so that closing it once more is no mistake.
    package func closeListeners() {
        worker.preconditionOnLoop()
        for listener in listeners.elements { close(listener) }
    }

    /// The predecessor's socket for what is asked; nil if it has none.
    ///
    /// Each is given once: who listens twice at port 0 wants two ports.
    func inherited(_ options: ListenOptions) throws(ServiceError) -> ListeningSocket? {
        let place = inheritable.firstIndex { $0.options.address == options.address && $0.options.port == options.port }
        guard let place else { return nil }
        return try ListeningSocket(sharing: inheritable.remove(at: place).socket)
    }
}

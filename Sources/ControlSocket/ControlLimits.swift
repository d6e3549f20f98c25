/// Limits of the control socket.
package struct ControlLimits: Hashable, Sendable {
    /// Longest line of a request, in bytes without the newline.
    package static let requestLineMax = 64 * 1024
    /// Longest line of a response, in bytes without the newline.
    package static let eventLineMax = 4 * 1024 * 1024
    /// Requests of one connection that may wait for the one before them.
    package static let waitingRequestsMax = 8

    /// Connections at a time; one more is told so and closed.
    package var connectionsMax: Int
    /// How long a connection may have no request, or leave a response unread.
    package var idleMax: Duration

    package init(connectionsMax: Int = 32, idleMax: Duration = .seconds(60)) {
        self.connectionsMax = connectionsMax
        self.idleMax = idleMax
    }
}

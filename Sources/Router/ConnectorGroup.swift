internal import NIOConcurrencyHelpers
internal import PluginHost

/// The connectors' sessions of one router, whose threads end after the instances have.
package final class ConnectorGroup: Sendable {
    private let sessions = NIOLockedValueBox<[ForeignSession]>([])

    package init() {}

    /// Notes a session; forgets those that have ended.
    func add(_ session: ForeignSession) {
        sessions.withLockedValue { sessions in
            sessions.removeAll(where: \.hasEnded)
            sessions.append(session)
        }
    }

    /// Whether every thread is gone.
    var haveEnded: Bool { sessions.withLockedValue { $0.allSatisfy(\.hasEnded) } }
}

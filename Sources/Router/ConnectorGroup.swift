internal import PluginHost
internal import Synchronization

/// The connectors' sessions of one router, whose threads end after the instances have.
package final class ConnectorGroup: Sendable {
    private let sessions = Mutex<[ForeignSession]>([])

    package init() {}

    /// Notes a session; forgets those that have ended.
    func add(_ session: ForeignSession) {
        sessions.withLock { sessions in
            sessions.removeAll(where: \.hasEnded)
            sessions.append(session)
        }
    }

    /// Whether every thread is gone.
    var haveEnded: Bool { sessions.withLock { $0.allSatisfy(\.hasEnded) } }
}

internal import Configuration
internal import HostServices
package import IMModel
package import Policy
internal import Routing

// Why something may pass or not.
extension Router {
    /// What the router would do with an envelope, and why.
    package struct Explanation: Sendable {
        package var isAllowed: Bool
        /// The network that it would come from or go to; nil if there is none.
        package var provider: String?
        /// What the sender is told; nil if it is allowed.
        package var refusal: String?
        package var code: String?
        /// Why no rule of the policy was asked; nil if they were.
        package var note: String?
        package var trail: [TrailStep]
    }

    /// Decides as for an envelope that was handed in now, by the same code, and tells the rules.
    ///
    /// - Parameter vouching: what the network would say of the sender.
    /// - Returns: nil if the router does not run.
    package func explain(
        from: Address,
        to: Address,
        kind: PolicyQuestion.Kind,
        vouching: Vouching = .absent
    ) async -> Explanation? {
        let (sender, recipient) = (Array(from.description.utf8), Array(to.description.utf8))
        guard let home = core.runtimes.first,
            let (found, source) = await onLoop(
                of: home,
                { home in
                    sender.withUnsafeBytes { sender in
                        recipient.withUnsafeBytes { recipient in
                            home.explain(from: sender, to: recipient, kind, vouching)
                        }
                    }
                }
            )
        else { return nil }
        guard let source, let limits = currentConfiguration.policy?.discovered else { return found }
        // The count is the source's, on its own loop.
        let refusal = await onLoop(of: core.runtimes[source]) { source in
            sender.withUnsafeBytes { sender in
                recipient.withUnsafeBytes { source.wouldLimitPartner(from: sender, to: $0) }
            }
        }
        var explanation = found
        explanation.add(refusal ?? nil, limits, from: from.domain)
        return explanation
    }
}

extension InstanceRuntime {
    /// What the table says; and the source, if what it sends is counted.
    ///
    /// On the loop.
    fileprivate func explain(
        from: UnsafeRawBufferPointer,
        to: UnsafeRawBufferPointer,
        _ kind: PolicyQuestion.Kind,
        _ vouching: Vouching
    ) -> (Router.Explanation, counted: Int?) {
        let table = context.table
        guard let source = table.owner(of: from) else {
            let refusal = Refusal.noRoute(domain: String(decoding: RouteTable.domain(of: from), as: UTF8.self))
            let note = "no policy is asked: the sender has no network"
            return (Router.Explanation(isAllowed: false, note: note, trail: []).refused(refusal), nil)
        }
        let explained = table.explain(
            RouteTable.Question(
                from: from,
                to: to,
                source: source,
                hops: 0,
                expires: 0,
                now: HostClock.wallMs(),
                kind: kind,
                vouching: vouching
            )
        )
        let (isFromHome, isToHome) = (table.isHome(from), table.isHome(to))
        let other = table.owner(of: isFromHome ? to : from)
        var answer = Router.Explanation(
            isAllowed: true,
            provider: other.map { core.runtimes[$0].name },
            trail: explained.trail
        )
        let openNote =
            isFromHome && isToHome
            ? "home users among themselves: no policy is asked" : "there is no policy: every provider is open"
        switch explained.decision {
        case .refuse(let refusal):
            answer.note = explained.isPolicyAsked ? nil : "the routes decide, before any policy"
            return (answer.refused(refusal), nil)
        case .deliver:
            answer.note = explained.isPolicyAsked ? nil : openNote
            return (answer, nil)
        case .deliverLimited:
            return (answer, source)
        }
    }
}

extension Router.Explanation {
    fileprivate func refused(_ refusal: Refusal) -> Router.Explanation {
        var answer = self
        (answer.isAllowed, answer.refusal, answer.code) = (false, refusal.description, refusal.code)
        return answer
    }

    /// Adds what the count of a partner says that nobody has listed.
    fileprivate mutating func add(_ refusal: Refusal?, _ limits: Placed<DiscoveredLimits>, from domain: String) {
        if let refusal { self = refused(refusal) }
        let open =
            "\(domain) may send \(limits.value.messagesPerSecond) messages a second, to \(limits.value.targets) users"
        trail.append(
            TrailStep(
                .discovered,
                refusal == nil ? .passes : .refuses,
                refusal?.description ?? open,
                at: limits.place
            )
        )
    }
}

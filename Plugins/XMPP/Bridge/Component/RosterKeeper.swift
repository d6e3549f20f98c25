internal import ProviderKit
internal import XMPPComponent
internal import XMPPWire

/// Brings changes of contact lists into users' rosters: by the server's leave (XEP-0356), else by subscription.
///
/// One for each gateway. An answer is waited for, so that a change that the server refuses is still made the other way.
final class RosterKeeper {
    /// Most changes that wait for the server's answer; more are put off.
    static let pendingMax = 1000
    /// How long the server may take to answer, in ms.
    static let answerTimeoutMs: UInt64 = 30_000
    /// When a change is tried again that there was no room for, or no answer to, in ms.
    static let retryMs: UInt32 = 10_000

    private struct Pending {
        let delivery: Delivery
        let user: JID
        let change: RosterChange
        let alarm: Alarm
    }

    private unowned let gateways: ComponentGateways
    private let domain: String
    /// By home domain, what the server lets this gateway do.
    private var privileges: [String: Privilege] = [:]
    private var pending: [String: Pending] = [:]

    /// A keeper for the gateway of this domain.
    init(_ gateways: ComponentGateways, domain: String) {
        self.gateways = gateways
        self.domain = domain
    }

    /// Takes what a server grants; false if the stanza is something else (XEP-0356 §4).
    func granted(_ stanza: Stanza) -> Bool {
        guard case .message(let type) = stanza.kind, type != .error, let from = stanza.from, from.isDomain,
            let privilege = stanza.first(Privilege.self)
        else { return false }
        // Of several versions, the one that grants something counts.
        if privilege.maySet || self.privileges[from.domain]?.maySet != true {
            self.privileges[from.domain] = privilege
        }
        return true
    }

    /// The stream is gone: what was granted counts no more, and what was not answered is tried again.
    func lost() {
        self.privileges = [:]
        let waiting = self.pending.values
        self.pending = [:]
        for item in waiting {
            item.alarm.cancel()
            item.delivery.complete(
                .deferred(Outcome.Reason(.transient, "the stream was lost", retryAfter: Self.retryMs))
            )
        }
    }

    /// Makes a change; completes the delivery in any case.
    func change(_ contact: ContactChange, _ delivery: Delivery, user: JID, jid: JID, on link: GatewayLink) {
        let change = RosterChange(
            jid,
            name: contact.name.isEmpty ? nil : contact.name,
            groups: contact.groups,
            isRemoval: contact.change == .removed
        )
        guard link.isUp, self.privileges[user.domain]?.maySet == true else {
            return self.subscribe(change, contact.change, delivery, user: user, on: link)
        }
        guard self.pending.count < Self.pendingMax else {
            let text = "\(Self.pendingMax) changes of rosters wait for the XMPP server's answer already"
            return delivery.complete(.deferred(Outcome.Reason(.transient, text, retryAfter: Self.retryMs)))
        }
        let id = self.gateways.randomID()
        let alarm = Alarm(host: self.gateways.host)
        self.pending[id] = Pending(delivery: delivery, user: user, change: change, alarm: alarm)
        alarm.set(Self.answerTimeoutMs) { [weak self] in
            let text = "the XMPP server did not answer a change of the roster"
            self?.pending.removeValue(forKey: id)?.delivery.complete(
                .deferred(Outcome.Reason(.transient, text, retryAfter: Self.retryMs))
            )
        }
        let from = try? JID(local: nil, domain: self.domain)
        link.send(answer: Stanza(.iq(.set), to: user, from: from, id: id, payload: [change.element]))
    }

    /// Takes an answer; false if it answers no change.
    func answered(_ stanza: Stanza, on link: GatewayLink) -> Bool {
        guard let id = stanza.id, let item = self.pending[id], stanza.from?.bare == item.user else { return false }
        self.pending[id] = nil
        item.alarm.cancel()
        guard stanza.isError else {
            item.delivery.complete(.delivered)
            return true
        }
        self.gateways.host.log(
            .info,
            "the XMPP server did not change a roster, and the user is asked instead",
            [.partner: self.domain, .code: stanza.error?.condition.rawValue ?? ""]
        )
        self.subscribe(item.change, item.change.isRemoval ? .removed : .added, item.delivery, user: item.user, on: link)
        return true
    }

    /// The user is asked, as by anybody who wants to be on their roster (RFC 6121 §3.1).
    private func subscribe(
        _ change: RosterChange,
        _ kind: ContactChange.Change,
        _ delivery: Delivery,
        user: JID,
        on link: GatewayLink
    ) {
        switch kind {
        case .added:
            var stanza = Stanza(.presence(.subscribe), to: user, from: change.jid, id: delivery.envelope.id)
            if let name = change.name { stanza.append(Nickname(name)) }
            link.send(delivery, stanza)
        case .removed: link.send(delivery, Stanza(.presence(.unsubscribed), to: user, from: change.jid))
        // Another name or group is the user's own affair, where the roster cannot be changed.
        case .changed: delivery.complete(.delivered)
        }
    }
}

internal import ProviderKit
internal import XMPPSession
internal import XMPPWire

/// What operators see of partners and do with them.
extension Federation {
    /// Partners in one answer of ``partnerReport(after:)``, which must not be longer than a command's answer may be.
    static let reportedMax = 20

    /// One line of JSON for each partner domain, by name, from behind `after` on; as many as one answer holds.
    func partnerReport(after: String) -> String {
        let domains = self.settings.partners.flatMap { policy in policy.domains.map { ($0, policy) } }
        let next = domains.filter { $0.0 > after }.sorted { $0.0 < $1.0 }.prefix(Self.reportedMax)
        return next.map { self.report($0, $1).line }.joined(separator: "\n")
    }

    private func report(_ domain: String, _ policy: PartnerPolicy) -> JSONText {
        let record = self.records[domain] ?? PartnerRecord()
        let links = self.reports.filter { $0.name == domain }.map { link in
            JSONText.object([
                ("state", .text("\(link.state)")), ("detail", .text(link.detail)),
                ("waiting", .number(Int64(clamping: link.waiting))), ("since", .number(link.since)),
            ])
        }
        return .object([
            ("domain", .text(domain)), ("blocked", .truth(self.blocked.contains(policy.domain))),
            ("messages_in", .number(record.messagesIn)), ("messages_out", .number(record.messagesOut)),
            ("links", .list(links)), ("attempts", .list(record.attempts.map(\.json))),
        ])
    }

    /// Notes an attempt to reach a partner, or the end of a link.
    func note(_ domain: String, target: ServerTarget?, _ failure: EndReason?) {
        let attempt = PartnerRecord.Attempt(
            at: self.host.wallClock,
            target: target.map { "\($0)" } ?? "",
            failure: failure
        )
        self.records[domain, default: PartnerRecord()].note(attempt)
    }
}

// MARK: - Blocking

extension Federation {
    /// What the keys of blocked partners begin with.
    private static let blockedPrefix = "blocked/"
    /// When the store is asked again after it failed, in ms.
    private static let blockedRetryMs: UInt64 = 5_000

    /// Fetches the blocked partners; until they are known, nobody is let in.
    func loadBlocked(after: [UInt8] = []) {
        let prefix = Array(Self.blockedPrefix.utf8)
        do throws(HostError) {
            try self.host.store.list(prefix: prefix, after: after) { [weak self] result in
                guard let self else { return }
                let keys: [[UInt8]]
                switch result {
                case .success(let some): keys = some
                case .failure(let error): return self.loadBlockedLater(error)
                }
                let domains = keys.map { String(decoding: $0.dropFirst(prefix.count), as: UTF8.self) }
                self.setBlocked(self.blocked.union(domains))
                if let last = keys.last { return self.loadBlocked(after: last) }
                self.isReady = true
                self.host.ready()
            }
        } catch {
            // A host without a store cannot have kept any.
            self.isReady = true
        }
    }

    private func loadBlockedLater(_ error: HostError) {
        self.host.log(.error, "which partners are blocked cannot be read, so none is let in for now: \(error)")
        do throws(HostError) {
            _ = try self.host.startTimer(after: Self.blockedRetryMs) { [weak self] in self?.loadBlocked() }
        } catch {
            self.host.log(.error, "it is not tried again: \(error)")
        }
    }

    /// Blocks a partner, all domains of it: its links end, and nothing goes to it or comes from it.
    ///
    /// - Returns: what was done, for the operator.
    func block(_ domain: String) throws(ProviderError) -> String {
        let policy = try self.policy(named: domain)
        guard !self.blocked.contains(policy.domain) else { return "\(policy.domain) is blocked already" }
        self.keep(policy.domain, isBlocked: true)
        self.setBlocked(self.blocked.union([policy.domain]))
        for session in self.sessions.values
        where session.pairs.keys.contains(where: { policy.domains.contains($0.sender) }) {
            session.close()
        }
        for (pair, link) in self.links where policy.domains.contains(pair.target) {
            link.block()
            self.links[pair] = nil
        }
        self.host.log(.notice, "\(policy.domain) is blocked by the operator")
        return "\(policy.domain) is blocked"
    }

    /// Lets a blocked partner in again.
    func unblock(_ domain: String) throws(ProviderError) -> String {
        let policy = try self.policy(named: domain)
        guard self.blocked.contains(policy.domain) else { return "\(policy.domain) is not blocked" }
        self.keep(policy.domain, isBlocked: false)
        self.setBlocked(self.blocked.subtracting([policy.domain]))
        self.host.log(.notice, "\(policy.domain) is not blocked any more")
        return "\(policy.domain) is not blocked any more"
    }

    /// The partner that an operator names by any of its domains.
    func policy(named text: String) throws(ProviderError) -> PartnerPolicy {
        let domain = (try? JID(text)).flatMap { $0.isDomain ? $0.domain : nil }
        guard let policy = domain.flatMap({ PartnerTable(self.settings.partners).policy(for: $0) }) else {
            throw ProviderError("\(text) is no partner: it must be among the domains below partners")
        }
        return policy
    }

    private func setBlocked(_ domains: Set<String>) {
        self.blocked = domains
        self.partners = PartnerTable(self.settings.partners.filter { !domains.contains($0.domain) })
    }

    private func keep(_ domain: String, isBlocked: Bool) {
        let key = Array((Self.blockedPrefix + domain).utf8)
        let complain: (HostError) -> Void = { [weak self] error in
            self?.host.log(.error, "whether \(domain) is blocked will be forgotten at the next start: \(error)")
        }
        do throws(HostError) {
            if isBlocked {
                try self.host.store.put(key, []) { if case .failure(let error) = $0 { complain(error) } }
            } else {
                try self.host.store.remove(key) { if case .failure(let error) = $0 { complain(error) } }
            }
        } catch {
            complain(error)
        }
    }
}

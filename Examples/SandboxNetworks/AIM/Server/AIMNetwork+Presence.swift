import OSCARWire

extension AIMNetwork {
    /// The numbers of an account's sessions, oldest first.
    func sessionIDs(of name: ScreenName) -> [Int] {
        self.sessions.filter { $0.value.name == name }.map(\.key).sorted()
    }

    /// The session that stands for a user: one where somebody sits, if there is one.
    ///
    /// nil: the user is not there.
    func speaker(for name: ScreenName) -> Session? {
        let ready = self.sessionIDs(of: name).compactMap { self.sessions[$0] }.filter(\.isReady)
        return ready.first(where: \.isActive) ?? ready.first
    }

    /// What others see of a session.
    func info(of session: Session, now: UInt64) -> UserInfo {
        var flags: UserInfo.Flags = session.name.isNumber ? [.unconfirmed, .icq, .free] : [.unconfirmed, .free]
        if session.isAway { flags.insert(.away) }
        if self.bots[session.name] != nil { flags.insert(.bot) }
        var tlvs = TLVBlock([
            TLV(1, integer: flags.rawValue),
            TLV(3, integer: UInt32(truncatingIfNeeded: session.signedOnAt / 1_000)),
            TLV(6, integer: session.status.rawValue),
        ])
        if let since = session.idleSince {
            tlvs.append(TLV(4, integer: UInt16(clamping: (now - since) / 60_000)))
        }
        if !session.capabilities.isEmpty { tlvs.append(TLV(0x0D, session.capabilities)) }
        tlvs.append(TLV(0x1E, integer: UInt32(0)))
        return UserInfo(name: session.name, tlvs: tlvs)
    }

    /// Whom a session watches.
    func watched(by session: Session) -> Set<ScreenName> {
        guard session.usesList, let account = self.accounts[session.name] else { return session.watched }
        return session.watched.union(account.names(of: .buddy))
    }

    /// Tells all who watch a user what the user is now.
    mutating func announce(_ session: Int, now: UInt64) {
        guard let name = self.sessions[session]?.name else { return }
        self.announce(name, now: now)
    }

    /// Tells all who watch a user what the user is now.
    mutating func announce(_ name: ScreenName, now: UInt64) {
        for watcher in self.sessions.keys.sorted() {
            guard let session = self.sessions[watcher], self.watched(by: session).contains(name) else { continue }
            self.show(name, to: watcher, now: now)
        }
    }

    /// Tells a session of all whom it watches, if it is ready for that.
    mutating func showWatched(to session: Int, now: UInt64) {
        guard let current = self.sessions[session] else { return }
        for name in self.watched(by: current).sorted(by: { $0.normal < $1.normal }) {
            self.show(name, to: session, now: now)
        }
    }

    /// Tells a session what a user is now: there, or gone if it thought otherwise.
    mutating func show(_ name: ScreenName, to watcher: Int, now: UInt64) {
        guard let session = self.sessions[watcher], session.isReady else { return }
        let isBlocked = self.accounts[name]?.blocks(session.name) ?? false
        if let other = self.speaker(for: name), other.isVisible, !isBlocked {
            self.sessions[watcher]?.shown.insert(name)
            self.notify(BuddyArrived(user: self.info(of: other, now: now)), watcher)
        } else if session.shown.contains(name) {
            self.sessions[watcher]?.shown.remove(name)
            guard let gone = try? ScreenName(name.normal) else { return }
            let tlvs = isBlocked ? TLVBlock() : TLVBlock([TLV(1, integer: UInt16(0))])
            self.notify(BuddyDeparted(user: UserInfo(name: gone, tlvs: tlvs)), watcher)
        }
    }

    /// A session is over.
    mutating func end(_ session: Int, now: UInt64) {
        guard let ended = self.sessions.removeValue(forKey: session), ended.isReady else { return }
        self.announce(ended.name, now: now)
    }
}

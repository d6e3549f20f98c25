import OSCARWire

extension AIMNetwork {
    /// The most items of each class, from class 0 on.
    ///
    /// Only a strict network keeps to it.
    static let itemsMax: [UInt16] = [61, 61, 100, 100, 1, 1]

    mutating func feedbagReceived(_ snac: SNAC, in session: Int, on id: Int, now: UInt64) throws(OSCARWireError) {
        guard let name = self.sessions[session]?.name, let account = self.accounts[name] else { return }
        switch snac.kind {
        case FeedbagRightsRequest.kind:
            try self.reply(FeedbagRights(itemsMax: AIMNetwork.itemsMax), to: snac, on: id)
        case FeedbagRequest.kind: try self.reply(account.list, to: snac, on: id)
        case FeedbagCheck.kind:
            let known = try snac.message(FeedbagCheck.self)
            guard known.changedAt == account.listChangedAt, Int(known.count) == account.items.count else {
                return try self.reply(account.list, to: snac, on: id)
            }
            // The number is one byte here, and was two at AOL's.
            var writer = WireWriter()
            writer.integer(account.listChangedAt)
            writer.integer(UInt8(truncatingIfNeeded: account.items.count))
            self.send(SNAC(FeedbagUnchanged.kind, requestID: snac.requestID, body: writer.bytes), on: id)
        case FeedbagActivate.kind:
            self.sessions[session]?.usesList = true
            self.showWatched(to: session, now: now)
        case FeedbagInsert.kind:
            try self.change(.insert, snac.message(FeedbagInsert.self).items, snac, in: session, on: id, now: now)
        case FeedbagUpdate.kind:
            try self.change(.update, snac.message(FeedbagUpdate.self).items, snac, in: session, on: id, now: now)
        case FeedbagDelete.kind:
            try self.change(.delete, snac.message(FeedbagDelete.self).items, snac, in: session, on: id, now: now)
        case FeedbagBegin.kind, FeedbagEnd.kind: break
        default: try self.passAuthorization(snac, from: name, on: id)
        }
    }

    private enum Change {
        case insert
        case update
        case delete
    }

    private mutating func change(
        _ change: Change,
        _ items: [FeedbagItem],
        _ snac: SNAC,
        in session: Int,
        on id: Int,
        now: UInt64
    ) throws(OSCARWireError) {
        guard let name = self.sessions[session]?.name else { return }
        if change != .delete, items.contains(where: { $0.itemClass == .deny && $0.screenName == name }) {
            return try self.refuse(snac, SNACError(.notSupported), on: id)
        }
        var results: [FeedbagStatus.Result] = []
        for item in items { results.append(self.apply(change, item, to: name)) }
        if results.contains(.done) {
            // Later than before, even within a second: clients compare it.
            let last = self.accounts[name]?.listChangedAt ?? 0
            self.accounts[name]?.listChangedAt = max(last &+ 1, UInt32(truncatingIfNeeded: now / 1_000))
        }
        try self.reply(FeedbagStatus(results: results), to: snac, on: id)
        for other in self.sessionIDs(of: name) where other != session {
            guard let connection = self.sessions[other]?.connection else { continue }
            self.send(SNAC(snac.kind, requestID: SNAC.serverStarted, body: snac.body), on: connection)
        }
        self.followChange(items, of: name, now: now)
    }

    private mutating func apply(_ change: Change, _ item: FeedbagItem, to name: ScreenName) -> FeedbagStatus.Result {
        let key = Account.ItemID(group: item.groupID, item: item.itemID)
        var stored = item
        // Names of users are kept in their normal form.
        if [.buddy, .permit, .deny].contains(item.itemClass), let user = item.screenName {
            stored.nameBytes = Array(user.normal.utf8)
        }
        if self.options.isStrict, let objection = self.objection(to: change, stored, at: key, of: name) {
            return objection
        }
        self.accounts[name]?.items[key] = change == .delete ? nil : stored
        return .done
    }

    private func objection(
        to change: Change,
        _ item: FeedbagItem,
        at key: Account.ItemID,
        of name: ScreenName
    ) -> FeedbagStatus.Result? {
        let items = self.accounts[name]?.items ?? [:]
        switch change {
        case .delete, .update: return items[key] == nil ? .notFound : nil
        case .insert:
            let same = items.values.filter { $0.itemClass == item.itemClass }
            if items[key] != nil || same.contains(where: { $0.name == item.name && $0.groupID == item.groupID }) {
                return .exists
            }
            let index = Int(item.itemClass.rawValue)
            let max = index < AIMNetwork.itemsMax.count ? Int(AIMNetwork.itemsMax[index]) : Int(UInt16.max)
            return same.count < max ? nil : .full
        }
    }

    /// What a change of the list means for presence.
    private mutating func followChange(_ items: [FeedbagItem], of name: ScreenName, now: UInt64) {
        let buddies = items.filter { $0.itemClass == .buddy }.compactMap(\.screenName)
        for session in self.sessionIDs(of: name) where self.sessions[session]?.usesList == true {
            guard let watched = self.sessions[session].map({ self.watched(by: $0) }) else { continue }
            for buddy in buddies where watched.contains(buddy) { self.show(buddy, to: session, now: now) }
            self.sessions[session]?.shown.formIntersection(watched)
        }
        let concernsPrivacy = items.contains { [.permit, .deny, .privacy].contains($0.itemClass) }
        if concernsPrivacy || self.accounts[name]?.privacyMode == .buddiesOnly { self.announce(name, now: now) }
    }

    /// Passes on what users ask and answer about being in lists.
    private mutating func passAuthorization(_ snac: SNAC, from name: ScreenName, on id: Int) throws(OSCARWireError) {
        // The server puts the version of the list before these.
        let preamble = TLVBlock([TLV(1, integer: UInt16(4))])
        let target: ScreenName
        let passed: SNAC
        switch snac.kind {
        case RequestAuthorization.kind:
            let asked = try snac.message(RequestAuthorization.self).content
            target = asked.name
            let content = AuthorizationText(name: name, text: asked.text)
            passed = try SNAC(AuthorizationRequested(content), requestID: SNAC.serverStarted, preamble: preamble)
        case AnswerAuthorization.kind:
            let answer = try snac.message(AnswerAuthorization.self).content
            target = answer.name
            let content = AuthorizationAnswer(name: name, isAllowed: answer.isAllowed, text: answer.text)
            passed = try SNAC(AuthorizationAnswered(content), requestID: SNAC.serverStarted, preamble: preamble)
        default: return try self.refuse(snac, SNACError(.invalid), on: id)
        }
        for session in self.sessionIDs(of: target) {
            guard let connection = self.sessions[session]?.connection else { continue }
            self.send(passed, on: connection)
        }
    }
}

extension Account {
    /// The answer to 13/04.
    fileprivate var list: FeedbagReply {
        let items = self.items.sorted { ($0.key.group, $0.key.item) < ($1.key.group, $1.key.item) }.map(\.value)
        return FeedbagReply(items: items, changedAt: self.listChangedAt)
    }
}

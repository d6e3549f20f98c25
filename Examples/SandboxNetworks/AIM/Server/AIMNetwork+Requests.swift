import OSCARWire

extension AIMNetwork {
    /// A SNAC came within a session.
    mutating func requestReceived(_ snac: SNAC, in session: Int, on id: Int, now: UInt64) throws(OSCARWireError) {
        // No client may send a block of TLVs before the body.
        guard snac.preamble == nil else { return self.close(id, now: now) }
        switch self.sessions[session]?.rates.count(snac.kind, now: now) ?? .carriedOut {
        case .carriedOut: break
        case .dropped: return
        case .disconnected:
            // The same last word as for a second sign-on.
            return self.signOff(id, isBare: false, now: now)
        }
        switch snac.kind.family {
        case FoodGroup.service: try self.serviceReceived(snac, in: session, on: id, now: now)
        case FoodGroup.location: try self.locationReceived(snac, in: session, on: id, now: now)
        case FoodGroup.buddy: try self.buddyReceived(snac, in: session, on: id, now: now)
        case FoodGroup.messages: try self.messageReceived(snac, in: session, on: id, now: now)
        case FoodGroup.privacy: try self.privacyReceived(snac, in: session, on: id)
        case FoodGroup.feedbag: try self.feedbagReceived(snac, in: session, on: id, now: now)
        default: try self.refuse(snac, SNACError(.invalid), on: id)
        }
    }

    private mutating func serviceReceived(
        _ snac: SNAC,
        in session: Int,
        on id: Int,
        now: UInt64
    ) throws(OSCARWireError) {
        switch snac.kind {
        case ClientVersions.kind:
            let versions = try snac.message(ClientVersions.self).versions
            self.sessions[session]?.serviceVersion = versions.first { $0.family == 1 }?.version ?? 1
            try self.reply(HostVersions(versions: versions), to: snac, on: id)
            self.notify(MessageOfTheDay(text: "Welcome to the sandbox"), session)
        case RatesRequest.kind:
            guard let current = self.sessions[session] else { return }
            try self.reply(current.rates.rates(now: now, hasState: current.serviceVersion > 1), to: snac, on: id)
        case RatesAccepted.kind:
            _ = try snac.message(RatesAccepted.self)
            self.sessions[session]?.rates.isSubscribed = true
        case SelfInfoRequest.kind: try self.sendSelfInfo(to: session, answering: snac, on: id, now: now)
        case ClientReady.kind:
            _ = try snac.message(ClientReady.self)
            self.becomeReady(session, on: id, now: now)
        case IdleTime.kind:
            let seconds = try snac.message(IdleTime.self).seconds
            self.sessions[session]?.idleSince = seconds == 0 ? nil : now - min(now, UInt64(seconds) * 1_000)
            self.announce(session, now: now)
        case SetStatus.kind:
            if let status = try snac.message(SetStatus.self).status() { self.sessions[session]?.status = status }
            try self.sendSelfInfo(to: session, answering: snac, on: id, now: now)
            self.announce(session, now: now)
        case ServiceRequest.kind:
            _ = try snac.message(ServiceRequest.self)
            try self.refuse(snac, SNACError(.unavailable), on: id)
        case PrivacyFlags.kind, Nothing.kind, PauseAcknowledgement.kind: break
        // The network that this one is like cannot write its own answer to this one.
        case SNACKind(FoodGroup.service, 0x1F): self.close(id, now: now)
        default: try self.refuse(snac, SNACError(.invalid), on: id)
        }
    }

    private mutating func sendSelfInfo(
        to session: Int,
        answering snac: SNAC,
        on id: Int,
        now: UInt64
    ) throws(OSCARWireError) {
        guard let current = self.sessions[session] else { return }
        var whole = self.info(of: current, now: now)
        let seconds = UInt32(truncatingIfNeeded: (now - current.signedOnAt) / 1_000)
        // The sign-on time stands there twice.
        whole.tlvs.entries += [
            TLV(3, integer: UInt32(truncatingIfNeeded: current.signedOnAt / 1_000)), TLV(0x0F, integer: seconds),
        ]
        var blocks = [whole]
        if current.serviceVersion >= 4 {
            whole.tlvs.append(TLV(0x14, integer: current.instance))
            blocks.append(whole)
        }
        try self.reply(SelfInfo(blocks: blocks), to: snac, on: id)
    }

    private mutating func becomeReady(_ session: Int, on id: Int, now: UInt64) {
        guard let current = self.sessions[session], !current.isReady else { return }
        self.sessions[session]?.isReady = true
        self.send(SNAC(SNACKind(0x0B, 2), requestID: SNAC.serverStarted, body: [0, 1]), on: id)
        self.showWatched(to: session, now: now)
        self.announce(session, now: now)
        self.tellOfStored(session)
    }

    private mutating func locationReceived(
        _ snac: SNAC,
        in session: Int,
        on id: Int,
        now: UInt64
    ) throws(OSCARWireError) {
        switch snac.kind {
        case LocationRightsRequest.kind:
            let tlvs = (1...5).map { TLV($0, integer: UInt16(1_000)) }
            try self.reply(LocationRights(tlvs: TLVBlock(tlvs)), to: snac, on: id)
        case SetLocation.kind: try self.setLocation(snac.message(), of: session, now: now)
        case UserInfoRequest.kind:
            let request = try snac.message(UserInfoRequest.self)
            try self.sendInfo(of: request.name, mask: UInt32(request.mask), to: session, snac, on: id, now: now)
        case UserInfoQuery.kind:
            let request = try snac.message(UserInfoQuery.self)
            try self.sendInfo(of: request.name, mask: request.mask, to: session, snac, on: id, now: now)
        default: try self.refuse(snac, SNACError(.invalid), on: id)
        }
    }

    private mutating func setLocation(_ message: SetLocation, of session: Int, now: UInt64) throws(OSCARWireError) {
        if let profile = message.tlvs[2] {
            let type = try message.tlvs.text(1, "a MIME type") ?? ""
            self.sessions[session]?.profile = MIMEText(type: type, bytes: profile)
        }
        // Each of the two is announced on its own.
        if try message.capabilities() != nil {
            self.sessions[session]?.capabilities = message.tlvs[5] ?? []
            self.announce(session, now: now)
        }
        if let text = message.tlvs[4] {
            self.sessions[session]?.awayText = text
            self.announce(session, now: now)
        }
    }

    private mutating func sendInfo(
        of name: ScreenName,
        mask: UInt32,
        to session: Int,
        _ snac: SNAC,
        on id: Int,
        now: UInt64
    ) throws(OSCARWireError) {
        guard let asker = self.sessions[session]?.name, let other = self.speaker(for: name),
            self.accounts[name]?.blocks(asker) != true, self.accounts[asker]?.blocks(name) != true
        else { return try self.refuse(snac, SNACError(.notLoggedOn), on: id) }
        // Whatever the user's client has said, the text is said to be ASCII.
        let away = MIMEText(type: "text/aolrtf; charset=\"us-ascii\"", bytes: other.awayText)
        let reply = UserInfoReply(
            user: self.info(of: other, now: now),
            profile: mask & UserInfoQuery.profile != 0 ? other.profile : nil,
            away: mask & UserInfoQuery.away != 0 && other.isAway ? away : nil
        )
        try self.reply(reply, to: snac, on: id)
    }

    private mutating func buddyReceived(
        _ snac: SNAC,
        in session: Int,
        on id: Int,
        now: UInt64
    ) throws(OSCARWireError) {
        switch snac.kind {
        case BuddyRightsRequest.kind:
            let tlvs = (1...4).map { TLV($0, integer: UInt16(100)) }
            try self.reply(BuddyRights(tlvs: TLVBlock(tlvs)), to: snac, on: id)
        case WatchBuddies.kind:
            let names = try snac.message(WatchBuddies.self).names
            self.sessions[session]?.watched.formUnion(names)
            for name in names { self.show(name, to: session, now: now) }
        case UnwatchBuddies.kind:
            self.sessions[session]?.watched.subtract(try snac.message(UnwatchBuddies.self).names)
        default: try self.refuse(snac, SNACError(.invalid), on: id)
        }
    }

    private mutating func privacyReceived(_ snac: SNAC, in session: Int, on id: Int) throws(OSCARWireError) {
        switch snac.kind {
        case PrivacyRightsRequest.kind:
            let tlvs = (1...3).map { TLV($0, integer: UInt16(100)) }
            try self.reply(PrivacyRights(tlvs: TLVBlock(tlvs)), to: snac, on: id)
        // The lists of a session are of the time before the stored list; only that one counts here.
        case SetVisibleClasses.kind, AddPermits.kind, RemovePermits.kind, AddDenies.kind, RemoveDenies.kind: break
        default: try self.refuse(snac, SNACError(.invalid), on: id)
        }
    }
}

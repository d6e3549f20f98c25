import OSCARWire

extension AIMNetwork {
    mutating func messageReceived(_ snac: SNAC, in session: Int, on id: Int, now: UInt64) throws(OSCARWireError) {
        switch snac.kind {
        case MessageLimitsRequest.kind:
            let limits = MessageLimits(flags: 3, bytesMax: 512)
            try self.reply(MessageLimitsReply(channels: 100, limits: limits), to: snac, on: id)
        case SetMessageLimits.kind: _ = try snac.message(SetMessageLimits.self)
        case SendMessage.kind: try self.pass(snac.message(), from: session, snac, on: id, now: now)
        case TypingNotice.kind: try self.pass(snac.message(), from: session, requestID: snac.requestID)
        case StoredMessagesRequest.kind: try self.sendStored(to: session, snac, on: id)
        case MessageRefusal.kind: try self.pass(snac.message(), from: session)
        // A warning needs a message to be about; the sandbox keeps none.
        case SNACKind(FoodGroup.messages, 8): try self.refuse(snac, SNACError(.denied), on: id)
        default: try self.refuse(snac, SNACError(.invalid), on: id)
        }
    }

    private mutating func pass(
        _ message: SendMessage,
        from session: Int,
        _ snac: SNAC,
        on id: Int,
        now: UInt64
    ) throws(OSCARWireError) {
        guard let sender = self.sessions[session], let account = self.accounts[sender.name] else { return }
        guard let recipient = self.accounts[message.recipient], !recipient.blocks(sender.name) else {
            return try self.refuse(snac, SNACError(.notLoggedOn), on: id)
        }
        guard !account.blocks(recipient.name) else {
            return try self.refuse(snac, SNACError(.blockedByOwnList), on: id)
        }
        if self.speaker(for: recipient.name) != nil {
            self.deliver(message, from: sender, to: recipient.name, now: now)
        } else {
            guard message.tlvs.contains(MessageTag.store) else {
                return try self.refuse(snac, SNACError(.notLoggedOn), on: id)
            }
            guard recipient.stored.count(where: { $0.sender == sender.name }) < AIMNetwork.storedMax else {
                return try self.refuse(snac, SNACError(.notLoggedOn, subcode: 0x0F), on: id)
            }
            let sentAt = UInt32(truncatingIfNeeded: now / 1_000)
            self.accounts[recipient.name]?.stored.append(
                .init(sender: sender.name, message: message, sentAt: sentAt)
            )
        }
        // Nobody can tell from it whether the message was delivered or stored.
        if message.tlvs.contains(MessageTag.wantsAck) {
            let ack = MessageAck(cookie: message.cookie, channel: message.channel, recipient: message.recipient)
            try self.reply(ack, to: snac, on: id)
        }
    }

    /// Delivers a message to the sessions where somebody sits, or to all if nobody does.
    mutating func deliver(_ message: SendMessage, from sender: Session, to name: ScreenName, now: UInt64) {
        var tlvs = message.tlvs
        tlvs.entries.removeAll { $0.tag == MessageTag.wantsAck || $0.tag == MessageTag.store }
        if self.accounts[sender.name]?.showsTyping == true, !tlvs.contains(MessageTag.wantsTyping) {
            tlvs.append(TLV(MessageTag.wantsTyping))
        }
        let incoming = IncomingMessage(
            cookie: message.cookie,
            channel: message.channel,
            sender: self.info(of: sender, now: now),
            tlvs: tlvs
        )
        let ready = self.sessionIDs(of: name).filter { self.sessions[$0]?.isReady == true }
        let active = ready.filter { self.sessions[$0]?.isActive == true }
        for target in active.isEmpty ? ready : active { self.notify(incoming, target) }
        self.answerAsBot(name, to: incoming, now: now)
    }

    private mutating func pass(_ notice: TypingNotice, from session: Int, requestID: UInt32) {
        guard let sender = self.sessions[session]?.name, let recipient = self.accounts[notice.name],
            !recipient.blocks(sender), self.accounts[sender]?.blocks(recipient.name) != true
        else { return }
        var passed = notice
        passed.name = sender
        for target in self.sessionIDs(of: recipient.name) {
            guard let other = self.sessions[target], other.isReady, other.isActive else { continue }
            // With the request id of the sender.
            self.notify(passed, target, requestID: requestID)
        }
    }

    private mutating func pass(_ refusal: MessageRefusal, from session: Int) {
        guard let sender = self.sessions[session]?.name else { return }
        var passed = refusal
        passed.name = sender
        for target in self.sessionIDs(of: refusal.name) { self.notify(passed, target) }
    }

    /// Says that messages wait: nothing else comes without 04/10.
    mutating func tellOfStored(_ session: Int) {
        guard let name = self.sessions[session]?.name, let count = self.accounts[name]?.stored.count, count > 0,
            let sender = try? ScreenName("OOS System Msg")
        else { return }
        let text = InstantText(
            markup: "<HTML><BODY>You just received \(count) IM(s) while you were offline. "
                + "<A HREF=\"https://sandbox.example/\">Read them</A></BODY></HTML>"
        )
        guard let value = try? text.encoded() else { return }
        let tlvs = TLVBlock([TLV(MessageTag.text, value)])
        self.notify(IncomingMessage(cookie: 0, channel: 1, sender: UserInfo(name: sender), tlvs: tlvs), session)
    }

    private mutating func sendStored(to session: Int, _ snac: SNAC, on id: Int) throws(OSCARWireError) {
        guard let name = self.sessions[session]?.name else { return }
        for stored in self.accounts[name]?.stored ?? [] {
            var tlvs = stored.message.tlvs
            tlvs.append(TLV(MessageTag.sentAt, integer: stored.sentAt))
            let incoming = IncomingMessage(
                cookie: stored.message.cookie,
                channel: stored.message.channel,
                sender: UserInfo(name: try ScreenName(stored.sender.normal)),
                tlvs: tlvs
            )
            self.notify(incoming, session)
        }
        // They are gone, whether they arrive or not.
        self.accounts[name]?.stored = []
        try self.reply(StoredMessagesReply(), to: snac, on: id)
    }
}

import OSCARWire

/// Whatever bytes come: frames are read in the order they stand in, nothing traps, and a message that is read is read the
/// same after it was written.
@c(LLVMFuzzerTestOneInput)
public func fuzzOSCAR(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var rest = UnsafeRawBufferPointer(start: start, count: count)
    do throws(OSCARWireError) {
        while let (frame, byteCount) = try FLAPFrame.read(rest) {
            precondition(byteCount == FLAPFrame.headerBytes + frame.payload.count)
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(byteCount))
            check(frame)
        }
        _ = FLAPFrame.Ending(rest: rest)
    } catch {
        precondition(!error.description.isEmpty)
    }
    return 0
}

private func check(_ frame: FLAPFrame) {
    switch frame.channel {
    case .signOn:
        if let signOn = try? SignOnFrame(payload: frame.payload) {
            guard let bytes = try? signOn.encoded() else { preconditionFailure("what was read cannot be written") }
            precondition((try? SignOnFrame(payload: bytes)) == signOn)
            _ = try? signOn.name()
        }
    case .data:
        if let snac = try? SNAC(payload: frame.payload) { check(snac) }
    case .signOff: _ = (try? SignOff(payload: frame.payload))?.reason
    case .error, .keepAlive: break
    }
}

private func check(_ snac: SNAC) {
    guard let bytes = try? snac.encoded() else { preconditionFailure("what was read cannot be written") }
    precondition((try? SNAC(payload: bytes)) == snac)
    if snac.kind.subtype == SNACError.subtype {
        var reader = WireReader(snac.body)
        _ = try? SNACError(from: &reader)
    }
    for check in checks { check(snac) }
    texts(of: snac)
}

/// What is made of texts that come.
private func texts(of snac: SNAC) {
    if let message = try? snac.message(IncomingMessage.self) {
        _ = message.sender.flags
        _ = message.sender.capabilities
        _ = try? message.rendezvous()
        if let text = try? message.text() {
            let plain = HTMLText.text(of: text.markup)
            precondition(HTMLText.text(of: HTMLText.markup(for: plain)) == plain || plain.contains("\r"))
            guard let value = try? text.encoded() else { preconditionFailure("a text cannot be written") }
            precondition((try? InstantText(value: value)) == text)
        }
    }
    if let reply = try? snac.message(UserInfoReply.self) { _ = (try? reply.away())??.text }
    if let reply = try? snac.message(FeedbagReply.self) {
        for item in reply.items {
            _ = (item.screenName, item.alias, item.order, item.privacyMode)
        }
    }
}

private func roundTrip<Message: SNACMessage>(_: Message.Type) -> @Sendable (SNAC) -> Void {
    { snac in
        guard let message = try? snac.message(Message.self) else { return }
        // A text that was no UTF-8 becomes longer as UTF-8, and may become too long.
        guard let written = try? SNAC(message, requestID: 1) else { return }
        precondition((try? written.message(Message.self)) == message, "\(Message.self)")
    }
}

private let checks: [@Sendable (SNAC) -> Void] = [
    roundTrip(BuddyRightsRequest.self), roundTrip(BuddyRights.self), roundTrip(WatchBuddies.self),
    roundTrip(UnwatchBuddies.self), roundTrip(WatchRefused.self), roundTrip(BuddyArrived.self),
    roundTrip(BuddyDeparted.self), roundTrip(GrantAuthorization.self), roundTrip(AuthorizationGranted.self),
    roundTrip(RequestAuthorization.self), roundTrip(AuthorizationRequested.self), roundTrip(AnswerAuthorization.self),
    roundTrip(AuthorizationAnswered.self), roundTrip(AddedByUser.self), roundTrip(FeedbagInsert.self),
    roundTrip(FeedbagUpdate.self), roundTrip(FeedbagDelete.self), roundTrip(FeedbagStatus.self),
    roundTrip(FeedbagRightsRequest.self), roundTrip(FeedbagRights.self), roundTrip(FeedbagRequest.self),
    roundTrip(FeedbagCheck.self), roundTrip(FeedbagReply.self), roundTrip(FeedbagActivate.self),
    roundTrip(FeedbagUnchanged.self), roundTrip(FeedbagBegin.self), roundTrip(FeedbagEnd.self),
    roundTrip(LocationRightsRequest.self), roundTrip(LocationRights.self), roundTrip(SetLocation.self),
    roundTrip(UserInfoRequest.self), roundTrip(UserInfoQuery.self), roundTrip(UserInfoReply.self),
    roundTrip(ChallengeRequest.self), roundTrip(Challenge.self), roundTrip(LoginRequest.self),
    roundTrip(LoginReply.self), roundTrip(SendMessage.self), roundTrip(IncomingMessage.self),
    roundTrip(TypingNotice.self), roundTrip(MessageAck.self), roundTrip(MissedMessages.self),
    roundTrip(MessageRefusal.self), roundTrip(StoredMessagesRequest.self), roundTrip(StoredMessagesReply.self),
    roundTrip(SetMessageLimits.self), roundTrip(MessageLimitsRequest.self), roundTrip(MessageLimitsReply.self),
    roundTrip(PrivacyRightsRequest.self), roundTrip(PrivacyRights.self), roundTrip(SetVisibleClasses.self),
    roundTrip(AddPermits.self), roundTrip(RemovePermits.self), roundTrip(AddDenies.self),
    roundTrip(RemoveDenies.self), roundTrip(RatesRequest.self), roundTrip(Rates.self), roundTrip(RatesAccepted.self),
    roundTrip(RateChange.self), roundTrip(ClientReady.self), roundTrip(HostOnline.self),
    roundTrip(ServiceRequest.self), roundTrip(ServiceRedirect.self), roundTrip(Pause.self),
    roundTrip(PauseAcknowledgement.self), roundTrip(Resume.self), roundTrip(Migration.self),
    roundTrip(SelfInfoRequest.self), roundTrip(SelfInfo.self), roundTrip(Warned.self), roundTrip(IdleTime.self),
    roundTrip(MessageOfTheDay.self), roundTrip(PrivacyFlags.self), roundTrip(Nothing.self), roundTrip(SetStatus.self),
    roundTrip(ClientVersions.self), roundTrip(HostVersions.self),
]

internal import CPlugboard
internal import IMModel

extension Envelope {
    /// Copies an envelope that the host lends.
    ///
    /// - Returns: `nil` for a kind or a value that this version of the kit does not know.
    init?(borrowing pointer: UnsafePointer<plugboard_envelope_t>) {
        let source = pointer.pointee
        guard let from = Address(source.from.string), let to = Address(source.to.string),
            let content = Content(kind: source.kind, pointer: source.content)
        else { return nil }
        self.init(from: from, to: to, id: source.id.string, content: content)
        fromDevice = source.from_device.string
        toDevice = source.to_device.string
        conversation = source.conversation.string
        timestamp = source.timestamp_ms
        expires = source.expires_ms
        hops = source.hops
        account = source.account.string
        isRedelivered = source.flags & PLUGBOARD_ENVELOPE_REDELIVERED != 0
        isDelayed = source.flags & PLUGBOARD_ENVELOPE_DELAYED != 0
        vouching = Vouching(flags: source.flags)
    }
}

extension Envelope.Content {
    fileprivate init?(kind: UInt16, pointer: UnsafeRawPointer?) {
        guard let pointer else { return nil }
        let content: Envelope.Content? =
            switch kind {
            case PLUGBOARD_MESSAGE:
                .message(Message(pointer.load(as: plugboard_message_t.self)))
            case PLUGBOARD_RECEIPT:
                Receipt(pointer.load(as: plugboard_receipt_t.self)).map { .receipt($0) }
            case PLUGBOARD_TYPING:
                Typing(rawValue: pointer.load(as: plugboard_typing_t.self).state).map { .typing($0) }
            case PLUGBOARD_PRESENCE:
                Presence(pointer.load(as: plugboard_presence_t.self)).map { .presence($0) }
            case PLUGBOARD_SUBSCRIPTION:
                Subscription(pointer.load(as: plugboard_subscription_t.self)).map { .subscription($0) }
            case PLUGBOARD_CONTACT:
                ContactChange(pointer.load(as: plugboard_contact_t.self)).map { .contact($0) }
            case PLUGBOARD_CALL:
                CallEvent(pointer.load(as: plugboard_call_t.self)).map { .call($0) }
            case PLUGBOARD_FAILURE:
                Failure(pointer.load(as: plugboard_failure_t.self)).map { .failure($0) }
            default:
                nil
            }
        guard let content else { return nil }
        self = content
    }
}

extension Message {
    fileprivate init(_ source: plugboard_message_t) {
        self.init(text: source.text.string)
        subject = source.subject.string
        language = source.language.string
        replaces = source.replaces.string
        formatted = source.formatted.string
        formattedType = source.formatted_type.string
        wantsDelivered = source.flags & PLUGBOARD_MESSAGE_WANTS_DELIVERED != 0
        wantsRead = source.flags & PLUGBOARD_MESSAGE_WANTS_READ != 0
        isAttention = source.flags & PLUGBOARD_MESSAGE_ATTENTION != 0
    }
}

extension Receipt {
    fileprivate init?(_ source: plugboard_receipt_t) {
        guard let kind = Kind(rawValue: source.receipt) else { return nil }
        self.init(kind, messageID: source.message_id.string)
    }
}

extension Presence {
    fileprivate init?(_ source: plugboard_presence_t) {
        guard let availability = Availability(rawValue: source.availability) else { return nil }
        self.init(availability, status: source.status.string)
        priority = source.priority
        changed = source.changed_ms
        abilities = CallEvent.Media(rawValue: source.abilities)
    }
}

extension Subscription {
    fileprivate init?(_ source: plugboard_subscription_t) {
        guard let action = Action(rawValue: source.action) else { return nil }
        self.init(action, name: source.name.string, text: source.text.string)
    }
}

extension ContactChange {
    fileprivate init?(_ source: plugboard_contact_t) {
        guard let change = Change(rawValue: source.change), let address = Address(source.address.string),
            source.group_count <= ContactChange.groupsMax
        else { return nil }
        let groups = UnsafeBufferPointer(start: source.groups, count: source.group_count).map(\.string)
        self.init(change, address: address, name: source.name.string, groups: groups)
    }
}

extension CallEvent {
    fileprivate init?(_ source: plugboard_call_t) {
        guard let event = Event(rawValue: source.event) else { return nil }
        self.init(
            event,
            callID: source.call_id.string,
            media: Media(rawValue: source.media),
            description: source.description.string,
            reason: source.reason.string
        )
    }
}

extension Failure {
    fileprivate init?(_ source: plugboard_failure_t) {
        guard let failureClass = FailureClass(rawValue: source.failure_class) else { return nil }
        self.init(
            failureClass,
            messageID: source.message_id.string,
            reason: source.reason.string,
            code: source.code.string,
            isUncertain: source.flags & PLUGBOARD_OUTCOME_UNCERTAIN != 0
        )
    }
}

extension Outcome {
    /// Copies an outcome that the host lends; one with an unknown result or class counts as an internal failure.
    init(_ source: plugboard_outcome_t) {
        let reason = Reason(
            FailureClass(rawValue: source.failure_class) ?? .internal,
            source.reason.string,
            code: source.code.string,
            isUncertain: source.flags & PLUGBOARD_OUTCOME_UNCERTAIN != 0,
            retryAfter: source.retry_after_ms
        )
        switch source.result {
        case PLUGBOARD_ACCEPTED: self = .accepted
        case PLUGBOARD_DELIVERED: self = .delivered
        case PLUGBOARD_DEFERRED: self = .deferred(reason)
        default: self = .failed(reason)
        }
    }
}

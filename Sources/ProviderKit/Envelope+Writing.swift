internal import CPlugboard
internal import IMModel

extension Envelope {
    /// Lends the envelope in the ABI's form for the duration of `body`.
    func withABI<R>(_ body: (UnsafePointer<plugboard_envelope_t>) -> R) -> R {
        withSpans(count: Self.stringCount + content.stringCount, of: forEachString) { spans in
            let own = UnsafeBufferPointer(rebasing: spans[..<Self.stringCount])
            let contentSpans = UnsafeBufferPointer(rebasing: spans[Self.stringCount...])
            return content.withABI(contentSpans) { kind, content in
                var envelope = plugboard_envelope_t()
                envelope.struct_size = structSize(plugboard_envelope_t.self)
                envelope.kind = kind
                envelope.flags =
                    (isRedelivered ? PLUGBOARD_ENVELOPE_REDELIVERED : 0)
                    | (isDelayed ? PLUGBOARD_ENVELOPE_DELAYED : 0) | vouching.flags
                envelope.timestamp_ms = timestamp
                envelope.expires_ms = expires
                envelope.hops = hops
                (envelope.from, envelope.from_device) = (own[0], own[1])
                (envelope.to, envelope.to_device) = (own[2], own[3])
                (envelope.id, envelope.conversation, envelope.account) = (own[4], own[5], own[6])
                envelope.content = content
                return withUnsafePointer(to: envelope, body)
            }
        }
    }

    /// How many strings ``forEachString(_:)`` visits of the envelope itself.
    private static let stringCount = 7

    /// Visits the text fields in the order in which ``withABI(_:)`` takes them.
    private func forEachString(_ visit: (TextParts) -> Void) {
        visit(from.parts)
        visit((fromDevice, "", ""))
        visit(to.parts)
        visit((toDevice, "", ""))
        visit((id, "", ""))
        visit((conversation, "", ""))
        visit((account, "", ""))
        content.forEachString(visit)
    }
}

extension Address {
    /// The address as it is written, without putting it together.
    fileprivate var parts: TextParts { user.isEmpty ? (domain, "", "") : (user, "@", domain) }
}

extension Envelope.Content {
    /// How many strings ``forEachString(_:)`` visits.
    fileprivate var stringCount: Int {
        switch self {
        case .message: 6
        case .receipt, .presence: 1
        case .typing: 0
        case .subscription: 2
        case .contact(let it): 2 + it.groups.count
        case .call, .failure: 3
        }
    }

    /// Visits the text fields of the content, in the order in which ``withABI(_:_:)`` takes them.
    fileprivate func forEachString(_ visit: (TextParts) -> Void) {
        switch self {
        case .message(let it):
            visit((it.text, "", ""))
            visit((it.subject, "", ""))
            visit((it.language, "", ""))
            visit((it.replaces, "", ""))
            visit((it.formatted, "", ""))
            visit((it.formattedType, "", ""))
        case .receipt(let it):
            visit((it.messageID, "", ""))
        case .typing:
            break
        case .presence(let it):
            visit((it.status, "", ""))
        case .subscription(let it):
            visit((it.name, "", ""))
            visit((it.text, "", ""))
        case .contact(let it):
            visit(it.address.parts)
            visit((it.name, "", ""))
            for group in it.groups { visit((group, "", "")) }
        case .call(let it):
            visit((it.callID, "", ""))
            visit((it.description, "", ""))
            visit((it.reason, "", ""))
        case .failure(let it):
            visit((it.messageID, "", ""))
            visit((it.reason, "", ""))
            visit((it.code, "", ""))
        }
    }

    fileprivate func withABI<R>(
        _ spans: UnsafeBufferPointer<plugboard_bytes_t>,
        _ body: (UInt16, UnsafeRawPointer) -> R
    ) -> R {
        switch self {
        case .message(let it): withUnsafePointer(to: it.abi(spans)) { body(PLUGBOARD_MESSAGE, $0) }
        case .receipt(let it): withUnsafePointer(to: it.abi(spans)) { body(PLUGBOARD_RECEIPT, $0) }
        case .typing(let it): withUnsafePointer(to: it.abi()) { body(PLUGBOARD_TYPING, $0) }
        case .presence(let it): withUnsafePointer(to: it.abi(spans)) { body(PLUGBOARD_PRESENCE, $0) }
        case .subscription(let it): withUnsafePointer(to: it.abi(spans)) { body(PLUGBOARD_SUBSCRIPTION, $0) }
        case .contact(let it): withUnsafePointer(to: it.abi(spans)) { body(PLUGBOARD_CONTACT, $0) }
        case .call(let it): withUnsafePointer(to: it.abi(spans)) { body(PLUGBOARD_CALL, $0) }
        case .failure(let it): withUnsafePointer(to: it.abi(spans)) { body(PLUGBOARD_FAILURE, $0) }
        }
    }
}

extension Message {
    fileprivate func abi(_ spans: UnsafeBufferPointer<plugboard_bytes_t>) -> plugboard_message_t {
        plugboard_message_t(
            struct_size: structSize(plugboard_message_t.self),
            flags: (wantsDelivered ? PLUGBOARD_MESSAGE_WANTS_DELIVERED : 0)
                | (wantsRead ? PLUGBOARD_MESSAGE_WANTS_READ : 0) | (isAttention ? PLUGBOARD_MESSAGE_ATTENTION : 0),
            text: spans[0],
            subject: spans[1],
            language: spans[2],
            replaces: spans[3],
            formatted: spans[4],
            formatted_type: spans[5]
        )
    }
}

extension Receipt {
    fileprivate func abi(_ spans: UnsafeBufferPointer<plugboard_bytes_t>) -> plugboard_receipt_t {
        plugboard_receipt_t(
            struct_size: structSize(plugboard_receipt_t.self),
            receipt: kind.rawValue,
            message_id: spans[0]
        )
    }
}

extension Typing {
    fileprivate func abi() -> plugboard_typing_t {
        plugboard_typing_t(struct_size: structSize(plugboard_typing_t.self), state: rawValue)
    }
}

extension Presence {
    fileprivate func abi(_ spans: UnsafeBufferPointer<plugboard_bytes_t>) -> plugboard_presence_t {
        plugboard_presence_t(
            struct_size: structSize(plugboard_presence_t.self),
            availability: availability.rawValue,
            changed_ms: changed,
            priority: priority,
            abilities: abilities.rawValue,
            status: spans[0]
        )
    }
}

extension Subscription {
    fileprivate func abi(_ spans: UnsafeBufferPointer<plugboard_bytes_t>) -> plugboard_subscription_t {
        plugboard_subscription_t(
            struct_size: structSize(plugboard_subscription_t.self),
            action: action.rawValue,
            name: spans[0],
            text: spans[1]
        )
    }
}

extension ContactChange {
    fileprivate func abi(_ spans: UnsafeBufferPointer<plugboard_bytes_t>) -> plugboard_contact_t {
        plugboard_contact_t(
            struct_size: structSize(plugboard_contact_t.self),
            change: change.rawValue,
            address: spans[0],
            name: spans[1],
            groups: spans.count > 2 ? spans.baseAddress.map { $0 + 2 } : nil,
            group_count: spans.count - 2
        )
    }
}

extension CallEvent {
    fileprivate func abi(_ spans: UnsafeBufferPointer<plugboard_bytes_t>) -> plugboard_call_t {
        plugboard_call_t(
            struct_size: structSize(plugboard_call_t.self),
            event: event.rawValue,
            media: media.rawValue,
            reserved: 0,
            call_id: spans[0],
            description: spans[1],
            reason: spans[2]
        )
    }
}

extension Failure {
    fileprivate func abi(_ spans: UnsafeBufferPointer<plugboard_bytes_t>) -> plugboard_failure_t {
        plugboard_failure_t(
            struct_size: structSize(plugboard_failure_t.self),
            failure_class: failureClass.rawValue,
            failed_kind: 0,
            flags: isUncertain ? PLUGBOARD_OUTCOME_UNCERTAIN : 0,
            reserved: 0,
            message_id: spans[0],
            reason: spans[1],
            code: spans[2]
        )
    }
}

extension Outcome {
    /// Lends the outcome in the ABI's form for the duration of `body`.
    func withABI<R>(_ body: (UnsafePointer<plugboard_outcome_t>) -> R) -> R {
        let (result, reason): (UInt16, Reason?) =
            switch self {
            case .accepted: (PLUGBOARD_ACCEPTED, nil)
            case .delivered: (PLUGBOARD_DELIVERED, nil)
            case .deferred(let reason): (PLUGBOARD_DEFERRED, reason)
            case .failed(let reason): (PLUGBOARD_FAILED, reason)
            }
        return withBytes(reason?.text ?? "") { text in
            withBytes(reason?.code ?? "") { code in
                let outcome = plugboard_outcome_t(
                    struct_size: structSize(plugboard_outcome_t.self),
                    result: result,
                    failure_class: reason?.failureClass.rawValue ?? PLUGBOARD_CLASS_NONE,
                    flags: reason?.isUncertain == true ? PLUGBOARD_OUTCOME_UNCERTAIN : 0,
                    retry_after_ms: reason?.retryAfter ?? 0,
                    reason: text,
                    code: code
                )
                return withUnsafePointer(to: outcome, body)
            }
        }
    }
}

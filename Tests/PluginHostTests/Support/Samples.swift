import CPlugboard

/// A plugin's envelopes, with every field set.
struct Samples {
    let arena = Arena()

    static let kinds: [UInt16] = [
        PLUGBOARD_MESSAGE, PLUGBOARD_RECEIPT, PLUGBOARD_TYPING, PLUGBOARD_PRESENCE, PLUGBOARD_SUBSCRIPTION,
        PLUGBOARD_CONTACT, PLUGBOARD_CALL, PLUGBOARD_FAILURE,
    ]

    /// An envelope of a kind, in which every field and every span differs from every other.
    func envelope(_ kind: UInt16, groups: Int = 3) -> UnsafeMutablePointer<plugboard_envelope_t> {
        let content: UnsafeRawPointer =
            switch kind {
            case PLUGBOARD_MESSAGE: UnsafeRawPointer(message())
            case PLUGBOARD_RECEIPT: UnsafeRawPointer(receipt())
            case PLUGBOARD_PRESENCE: UnsafeRawPointer(presence())
            case PLUGBOARD_SUBSCRIPTION: UnsafeRawPointer(subscription())
            case PLUGBOARD_CONTACT: UnsafeRawPointer(contact(groups: groups))
            case PLUGBOARD_CALL: UnsafeRawPointer(call())
            case PLUGBOARD_FAILURE: UnsafeRawPointer(failure())
            default:
                UnsafeRawPointer(
                    arena.put(plugboard_typing_t(struct_size: structSize(plugboard_typing_t.self), state: 2))
                )
            }
        var envelope = plugboard_envelope_t()
        envelope.struct_size = structSize(plugboard_envelope_t.self)
        envelope.kind = kind
        envelope.flags = PLUGBOARD_ENVELOPE_REDELIVERED | PLUGBOARD_ENVELOPE_DELAYED
        envelope.token = 77
        envelope.timestamp_ms = 1_700_000_000_123
        envelope.expires_ms = 1_700_000_600_456
        withUnsafeMutableBytes(of: &envelope.idempotency_key) { key in
            for index in key.indices { key[index] = UInt8(index + 1) }
        }
        envelope.hops = 3
        envelope.from = arena.text("romeo@montague.example")
        envelope.from_device = arena.text("orchard")
        envelope.to = arena.text("juliet@capulet.example")
        envelope.to_device = arena.text("balcony")
        envelope.id = arena.text("id-1")
        envelope.conversation = arena.text("thread ✓")
        envelope.origin = arena.text("xmpp-1")
        envelope.account = arena.text("romeo.account")
        envelope.content = content
        return arena.put(envelope)
    }

    private func message() -> UnsafeMutablePointer<plugboard_message_t> {
        arena.put(
            plugboard_message_t(
                struct_size: structSize(plugboard_message_t.self),
                flags: PLUGBOARD_MESSAGE_WANTS_READ,
                text: arena.text("But soft! \u{1F319}"),
                subject: arena.text("Window"),
                language: arena.text("en-GB"),
                replaces: arena.text("m-0"),
                formatted: arena.text("<b>But soft!</b>"),
                formatted_type: arena.text("text/html")
            )
        )
    }

    private func receipt() -> UnsafeMutablePointer<plugboard_receipt_t> {
        let size = structSize(plugboard_receipt_t.self)
        return arena.put(
            plugboard_receipt_t(struct_size: size, receipt: PLUGBOARD_RECEIPT_READ, message_id: arena.text("m-1"))
        )
    }

    private func presence() -> UnsafeMutablePointer<plugboard_presence_t> {
        arena.put(
            plugboard_presence_t(
                struct_size: structSize(plugboard_presence_t.self),
                availability: PLUGBOARD_PRESENCE_AWAY,
                changed_ms: 1_700_000_000_000,
                priority: -128,
                abilities: PLUGBOARD_MEDIA_AUDIO,
                status: arena.text("sighing")
            )
        )
    }

    private func subscription() -> UnsafeMutablePointer<plugboard_subscription_t> {
        arena.put(
            plugboard_subscription_t(
                struct_size: structSize(plugboard_subscription_t.self),
                action: PLUGBOARD_SUBSCRIPTION_REQUEST,
                name: arena.text("Romeo"),
                text: arena.text("Let me in")
            )
        )
    }

    private func contact(groups: Int) -> UnsafeMutablePointer<plugboard_contact_t> {
        arena.put(
            plugboard_contact_t(
                struct_size: structSize(plugboard_contact_t.self),
                change: PLUGBOARD_CONTACT_ADDED,
                address: arena.text("nurse@capulet.example"),
                name: arena.text("Nurse"),
                // The second group has no name.
                groups: arena.put((0..<groups).map { arena.text($0 == 1 ? "" : "group \($0)") }),
                group_count: groups
            )
        )
    }

    private func call() -> UnsafeMutablePointer<plugboard_call_t> {
        arena.put(
            plugboard_call_t(
                struct_size: structSize(plugboard_call_t.self),
                event: PLUGBOARD_CALL_INVITE,
                media: PLUGBOARD_MEDIA_AUDIO | PLUGBOARD_MEDIA_VIDEO,
                reserved: 0,
                call_id: arena.text("c-1"),
                description: arena.text("v=0\r\n"),
                reason: arena.text("because")
            )
        )
    }

    private func failure() -> UnsafeMutablePointer<plugboard_failure_t> {
        arena.put(
            plugboard_failure_t(
                struct_size: structSize(plugboard_failure_t.self),
                failure_class: PLUGBOARD_CLASS_RECIPIENT,
                failed_kind: PLUGBOARD_MESSAGE,
                flags: PLUGBOARD_OUTCOME_UNCERTAIN,
                reserved: 0,
                message_id: arena.text("m-1"),
                reason: arena.text("nobody there"),
                code: arena.text("404")
            )
        )
    }
}

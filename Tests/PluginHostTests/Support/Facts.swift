import CPlugboard

/// All that an envelope says, copied out and free of pointers, to be compared.
struct Facts: Equatable {
    /// The fields that are no spans.
    var numbers: [Int64]
    var key: [UInt8]
    /// Every span, the envelope's first.
    var texts: [[UInt8]]

    init(_ envelope: UnsafePointer<plugboard_envelope_t>) {
        let it = envelope.pointee
        numbers = [
            Int64(it.struct_size), Int64(it.kind), Int64(it.flags), Int64(bitPattern: it.token), it.timestamp_ms,
            it.expires_ms,
            Int64(it.hops), Int64(it.reserved),
        ]
        key = withUnsafeBytes(of: it.idempotency_key) { Array($0) }
        texts = Self.spans(envelope).map(\.copy)
        guard let content = it.content else { return }
        switch it.kind {
        case PLUGBOARD_MESSAGE: add(content.load(as: plugboard_message_t.self), \.struct_size, \.flags)
        case PLUGBOARD_RECEIPT: add(content.load(as: plugboard_receipt_t.self), \.struct_size, \.receipt)
        case PLUGBOARD_TYPING: add(content.load(as: plugboard_typing_t.self), \.struct_size, \.state)
        case PLUGBOARD_PRESENCE:
            let presence = content.load(as: plugboard_presence_t.self)
            add(presence, \.struct_size, \.availability, \.abilities)
            numbers += [presence.changed_ms, Int64(presence.priority)]
        case PLUGBOARD_SUBSCRIPTION: add(content.load(as: plugboard_subscription_t.self), \.struct_size, \.action)
        case PLUGBOARD_CONTACT:
            let contact = content.load(as: plugboard_contact_t.self)
            add(contact, \.struct_size, \.change)
            numbers.append(Int64(contact.group_count))
        case PLUGBOARD_CALL: add(content.load(as: plugboard_call_t.self), \.struct_size, \.event, \.media)
        case PLUGBOARD_FAILURE:
            let failure = content.load(as: plugboard_failure_t.self)
            add(failure, \.struct_size, \.flags)
            numbers += [Int64(failure.failure_class), Int64(failure.failed_kind)]
        default: break
        }
    }

    private mutating func add<T>(_ content: T, _ fields: KeyPath<T, UInt32>...) {
        numbers += fields.map { Int64(content[keyPath: $0]) }
    }

    /// Every span of an envelope: its own, its content's, its groups'.
    static func spans(_ envelope: UnsafePointer<plugboard_envelope_t>) -> [plugboard_bytes_t] {
        let it = envelope.pointee
        var spans = [it.from, it.from_device, it.to, it.to_device, it.id, it.conversation, it.origin, it.account]
        guard let content = it.content else { return spans }
        switch it.kind {
        case PLUGBOARD_MESSAGE:
            let message = content.load(as: plugboard_message_t.self)
            spans += [message.text, message.subject, message.language, message.replaces, message.formatted]
            spans.append(message.formatted_type)
        case PLUGBOARD_RECEIPT: spans.append(content.load(as: plugboard_receipt_t.self).message_id)
        case PLUGBOARD_PRESENCE: spans.append(content.load(as: plugboard_presence_t.self).status)
        case PLUGBOARD_SUBSCRIPTION:
            let subscription = content.load(as: plugboard_subscription_t.self)
            spans += [subscription.name, subscription.text]
        case PLUGBOARD_CONTACT:
            let contact = content.load(as: plugboard_contact_t.self)
            spans += [contact.address, contact.name]
            spans += UnsafeBufferPointer(start: contact.groups, count: contact.group_count)
        case PLUGBOARD_CALL:
            let call = content.load(as: plugboard_call_t.self)
            spans += [call.call_id, call.description, call.reason]
        case PLUGBOARD_FAILURE:
            let failure = content.load(as: plugboard_failure_t.self)
            spans += [failure.message_id, failure.reason, failure.code]
        default: break
        }
        return spans
    }
}

internal import CPlugboard

/// What the real host checks of an envelope before it takes it.
enum EnvelopeCheck {
    /// The status that refuses an envelope; nil if it is one.
    static func flaw(of pointer: UnsafePointer<plugboard_envelope_t>) -> plugboard_status_t? {
        let envelope = pointer.pointee
        guard envelope.struct_size >= MemoryLayout<plugboard_envelope_t>.size,
            (PLUGBOARD_MESSAGE...PLUGBOARD_FAILURE).contains(envelope.kind), envelope.content != nil
        else { return PLUGBOARD_E_INVALID }
        guard envelope.hops <= PLUGBOARD_HOPS_MAX else { return PLUGBOARD_E_LIMIT }
        var total = 0
        let own = [
            (envelope.from, Int(PLUGBOARD_ADDRESS_BYTES_MAX)), (envelope.to, Int(PLUGBOARD_ADDRESS_BYTES_MAX)),
            (envelope.from_device, Int(PLUGBOARD_DEVICE_BYTES_MAX)),
            (envelope.to_device, Int(PLUGBOARD_DEVICE_BYTES_MAX)),
            (envelope.id, Int(PLUGBOARD_ID_BYTES_MAX)), (envelope.conversation, Int(PLUGBOARD_ID_BYTES_MAX)),
            (envelope.account, Int(PLUGBOARD_ENVELOPE_BYTES_MAX)),
        ]
        for (span, max) in own + contentSpans(envelope).map({ ($0, Int(PLUGBOARD_ENVELOPE_BYTES_MAX)) }) {
            guard span.isWellFormed else { return PLUGBOARD_E_INVALID }
            guard span.count <= max else { return PLUGBOARD_E_LIMIT }
            guard String(validating: span.bytes, as: UTF8.self) != nil else { return PLUGBOARD_E_INVALID }
            total += span.count
        }
        return total <= PLUGBOARD_ENVELOPE_BYTES_MAX ? nil : PLUGBOARD_E_LIMIT
    }

    private static func contentSpans(_ envelope: plugboard_envelope_t) -> [plugboard_bytes_t] {
        guard let content = envelope.content else { return [] }
        switch envelope.kind {
        case PLUGBOARD_MESSAGE:
            let it = content.load(as: plugboard_message_t.self)
            return [it.text, it.subject, it.language, it.replaces, it.formatted, it.formatted_type]
        case PLUGBOARD_RECEIPT: return [content.load(as: plugboard_receipt_t.self).message_id]
        case PLUGBOARD_PRESENCE: return [content.load(as: plugboard_presence_t.self).status]
        case PLUGBOARD_SUBSCRIPTION:
            let it = content.load(as: plugboard_subscription_t.self)
            return [it.name, it.text]
        case PLUGBOARD_CONTACT:
            let it = content.load(as: plugboard_contact_t.self)
            guard it.group_count <= PLUGBOARD_CONTACT_GROUPS_MAX else { return [it.address, it.name] }
            return [it.address, it.name] + UnsafeBufferPointer(start: it.groups, count: it.group_count)
        case PLUGBOARD_CALL:
            let it = content.load(as: plugboard_call_t.self)
            return [it.call_id, it.description, it.reason]
        case PLUGBOARD_FAILURE:
            let it = content.load(as: plugboard_failure_t.self)
            return [it.message_id, it.reason, it.code]
        default: return []
        }
    }
}

internal import CPlugboard

/// What the real host checks of an envelope before it takes it, in its order.
enum EnvelopeCheck {
    /// The status that refuses an envelope; nil if it is one.
    static func flaw(of pointer: UnsafePointer<plugboard_envelope_t>) -> plugboard_status_t? {
        guard pointer.pointee.struct_size >= MemoryLayout<plugboard_envelope_t>.size else { return PLUGBOARD_E_INVALID }
        let envelope = pointer.pointee
        guard let size = contentSize(envelope.kind), let content = envelope.content,
            content.load(as: UInt32.self) >= size
        else { return PLUGBOARD_E_INVALID }
        guard envelope.hops <= PLUGBOARD_HOPS_MAX else { return PLUGBOARD_E_LIMIT }
        // As the router stores it: the two structs, each on a boundary of 16 bytes, and the texts.
        var total = aligned(MemoryLayout<plugboard_envelope_t>.size) + aligned(size)
        let own = [
            envelope.from, envelope.from_device, envelope.to, envelope.to_device, envelope.id, envelope.conversation,
            envelope.origin, envelope.account,
        ]
        for span in own + spans(envelope.kind, content) {
            if let flaw = flaw(of: span) { return flaw }
            total += span.count
        }
        for address in [envelope.from, envelope.to] {
            if let flaw = addressFlaw(address) { return flaw }
        }
        if envelope.kind == PLUGBOARD_CONTACT {
            let contact = content.load(as: plugboard_contact_t.self)
            if let flaw = addressFlaw(contact.address) ?? groupsFlaw(contact, &total) { return flaw }
        }
        let hasRoom =
            max(envelope.from_device.count, envelope.to_device.count) <= PLUGBOARD_DEVICE_BYTES_MAX
            && max(envelope.id.count, envelope.conversation.count, envelope.origin.count) <= PLUGBOARD_ID_BYTES_MAX
            && total - envelope.origin.count <= PLUGBOARD_ENVELOPE_BYTES_MAX
        return hasRoom ? nil : PLUGBOARD_E_LIMIT
    }

    /// The status that refuses a claim of this; nil if it is an address or a domain.
    static func flaw(ofSubject span: plugboard_bytes_t) -> plugboard_status_t? {
        flaw(of: span) ?? addressFlaw(span)
    }

    private static func flaw(of span: plugboard_bytes_t) -> plugboard_status_t? {
        guard span.count != 0 else { return nil }
        guard (1...Int(PLUGBOARD_ENVELOPE_BYTES_MAX)).contains(span.count) else { return PLUGBOARD_E_LIMIT }
        guard span.isWellFormed, String(validating: span.bytes, as: UTF8.self) != nil else {
            return PLUGBOARD_E_INVALID
        }
        return nil
    }

    /// `user@domain` or `domain`, split at the last `@`, neither part empty, no spaces or controls.
    private static func addressFlaw(_ span: plugboard_bytes_t) -> plugboard_status_t? {
        guard span.count > 0 else { return PLUGBOARD_E_INVALID }
        let partBytesMax = (Int(PLUGBOARD_ADDRESS_BYTES_MAX) - 1) / 2
        let at = span.bytes.lastIndex(of: UInt8(ascii: "@")) ?? -1
        guard at != 0 else { return PLUGBOARD_E_INVALID }
        guard at <= partBytesMax else { return PLUGBOARD_E_LIMIT }
        let domainBytes = span.count - at - 1
        guard domainBytes > 0, span.bytes.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return PLUGBOARD_E_INVALID }
        return domainBytes <= partBytesMax ? nil : PLUGBOARD_E_LIMIT
    }

    private static func groupsFlaw(_ contact: plugboard_contact_t, _ total: inout Int) -> plugboard_status_t? {
        guard (0...Int(PLUGBOARD_CONTACT_GROUPS_MAX)).contains(contact.group_count) else { return PLUGBOARD_E_LIMIT }
        guard contact.group_count == 0 || contact.groups != nil else { return PLUGBOARD_E_INVALID }
        for group in UnsafeBufferPointer(start: contact.groups, count: contact.group_count) {
            if let flaw = flaw(of: group) { return flaw }
            total += MemoryLayout<plugboard_bytes_t>.stride + group.count
        }
        return nil
    }

    private static func aligned(_ size: Int) -> Int { (size + 15) & ~15 }

    /// The size of a kind's content struct; nil for a kind that there is not.
    private static func contentSize(_ kind: UInt16) -> Int? {
        switch kind {
        case PLUGBOARD_MESSAGE: MemoryLayout<plugboard_message_t>.size
        case PLUGBOARD_RECEIPT: MemoryLayout<plugboard_receipt_t>.size
        case PLUGBOARD_TYPING: MemoryLayout<plugboard_typing_t>.size
        case PLUGBOARD_PRESENCE: MemoryLayout<plugboard_presence_t>.size
        case PLUGBOARD_SUBSCRIPTION: MemoryLayout<plugboard_subscription_t>.size
        case PLUGBOARD_CONTACT: MemoryLayout<plugboard_contact_t>.size
        case PLUGBOARD_CALL: MemoryLayout<plugboard_call_t>.size
        case PLUGBOARD_FAILURE: MemoryLayout<plugboard_failure_t>.size
        default: nil
        }
    }

    /// The texts of a content struct, but for a contact's groups.
    private static func spans(_ kind: UInt16, _ content: UnsafeRawPointer) -> [plugboard_bytes_t] {
        switch kind {
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
            return [it.address, it.name]
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

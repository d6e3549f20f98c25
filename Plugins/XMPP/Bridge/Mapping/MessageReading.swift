internal import IMModel
internal import XMPPWire

/// Takes a message stanza apart into envelopes (RFC 6121 §5).
///
/// One stanza may carry a text, receipts and a chat state together. The text keeps the stanza's id, by which it is
/// answered, corrected and recognised when it comes twice; where there is none, the first of the others does.
struct MessageReading {
    private let stanza: Stanza
    private let nowMs: Int64

    /// Most receipts that are read from one stanza.
    static let receiptsMax = 32

    init(_ stanza: Stanza, nowMs: Int64) {
        self.stanza = stanza
        self.nowMs = nowMs
    }

    /// Empty for a stanza that carries nothing known (RFC 6120 §8.4).
    var envelopes: [Envelope] {
        var contents: [Envelope.Content] = []
        if let message = self.message { contents.append(.message(message)) }
        contents += self.receipts.prefix(Self.receiptsMax).map { .receipt($0) }
        // Many clients send “active” with every text, and a text says as much.
        if let typing = self.typing, typing != .active || contents.isEmpty { contents.append(.typing(typing)) }
        return contents.enumerated().compactMap { index, content in self.envelope(content, isFirst: index == 0) }
    }

    private func envelope(_ content: Envelope.Content, isFirst: Bool) -> Envelope? {
        let id = self.stanza.id ?? self.stanza.first(OriginID.self)?.id ?? ""
        guard var envelope = Envelope(self.stanza, id: isFirst ? id : "", content: content) else {
            return nil
        }
        envelope.conversation = self.stanza.thread?.id ?? ""
        if let delay = self.stanza.first(Delay.self), delay.stampMs > 0, delay.stampMs <= self.nowMs {
            envelope.isDelayed = true
            envelope.timestamp = delay.stampMs
        }
        return envelope
    }

    private var message: Message? {
        let subject = self.stanza.subject ?? ""
        let isAttention = self.stanza.first(Attention.self) != nil
        guard self.stanza.body != nil || !subject.isEmpty || isAttention else { return nil }
        var message = Message(text: self.stanza.body ?? "")
        message.subject = subject
        message.language = self.stanza.lang ?? ""
        message.replaces = self.stanza.first(Correction.self)?.replacedID ?? ""
        message.isAttention = isAttention
        // A receipt names the message by its id (XEP-0184 §5.3).
        guard let id = self.stanza.id, !id.isEmpty else { return message }
        message.wantsDelivered = self.stanza.all(XMPPWire.Receipt.self).contains(.request)
        message.wantsRead = self.stanza.all(ChatMarker.self).contains(.markable)
        return message
    }

    private var receipts: [IMModel.Receipt] {
        self.stanza.payload.compactMap { element in
            if case .received(let id)? = XMPPWire.Receipt(element) { return IMModel.Receipt(.delivered, messageID: id) }
            if case .displayed(let id)? = ChatMarker(element) { return IMModel.Receipt(.read, messageID: id) }
            return nil
        }
    }

    private var typing: Typing? {
        self.stanza.first(ChatState.self).map { state in
            switch state {
            case .active: .active
            case .composing: .composing
            case .paused: .paused
            case .inactive: .inactive
            case .gone: .gone
            }
        }
    }
}

package import IMModel
package import XMPPWire

/// What was sent to one partner lately, to know what an error that comes back is about.
///
/// A ring: the newest entry takes the place of the oldest. Without it a partner could make up failures of messages
/// that were never sent to it.
package struct SentStanzas {
    /// Most stanzas remembered.
    package static let entriesMax = 4096

    /// One stanza that was sent.
    package struct Entry: Hashable, Sendable {
        /// Who wrote it, as the router knows them.
        package var from: Address
        /// Whom it was for, as the router knows them.
        package var to: Address
        /// Whom it was for, as the partner knows them; bare.
        package var recipient: JID
        /// The envelope's own id; empty if it had none.
        package var messageID: String
        /// The envelope was a message: the failure of anything else interests nobody.
        package var isMessage: Bool
    }

    private struct Key: Hashable {
        let id: String
        let author: JID
    }

    private var entries: [Key: (slot: Int, entry: Entry)] = [:]
    private var slots: [Key] = []
    private var next = 0

    /// Remembers nothing yet.
    package init() {}

    /// How many are remembered.
    package var count: Int { self.entries.count }

    /// Remembers that an envelope was sent as a stanza.
    package mutating func note(_ envelope: Envelope, as stanza: Stanza) {
        guard let id = stanza.id, let author = stanza.from?.bare, let recipient = stanza.to?.bare else { return }
        let key = Key(id: id, author: author)
        let isMessage = if case .message = envelope.content { true } else { false }
        let entry = Entry(
            from: envelope.from,
            to: envelope.to,
            recipient: recipient,
            messageID: envelope.id,
            isMessage: isMessage
        )
        if self.slots.count < Self.entriesMax {
            self.slots.append(key)
        } else {
            // An id that was used again lives on in its later slot.
            if self.entries[self.slots[self.next]]?.slot == self.next { self.entries[self.slots[self.next]] = nil }
            self.slots[self.next] = key
        }
        self.entries[key] = (self.next, entry)
        self.next = (self.next + 1) % Self.entriesMax
    }

    /// The entry that an error is about, once: a second error for it is not believed.
    ///
    /// Nil unless the one who reports it is the addressee or their server.
    package mutating func take(_ bounce: StanzaMeaning.Bounce) -> Entry? {
        let key = Key(id: bounce.id, author: bounce.to.bare)
        guard let (_, entry) = self.entries[key],
            bounce.from.bare == entry.recipient || bounce.from == entry.recipient.domainOnly
        else { return nil }
        self.entries[key] = nil
        return entry
    }
}

extension StanzaMeaning.Bounce {
    /// The envelope that tells the author; nil if the envelope that failed was no message.
    package func envelope(about entry: SentStanzas.Entry) -> Envelope? {
        guard entry.isMessage else { return nil }
        let failure = Failure(
            self.error.failureClass,
            messageID: entry.messageID,
            reason: self.error.sentence,
            code: self.error.condition.rawValue
        )
        return Envelope(from: entry.to, to: entry.from, content: .failure(failure))
    }
}

/// One message as the spool keeps it: the keys the spool orders and finds by, and bytes it never looks into.
package struct SpoolRecord: Hashable, Sendable {
    /// Place in the spool's total order, 1 or more; assigned by the append, ignored in a record to be appended.
    package var sequence: Int64
    /// The provider instance that is to deliver it.
    package var destination: String
    /// Order key, "from|to": records of one conversation and destination leave in sequence order.
    package var conversation: String
    /// The provider instance it came from.
    package var source: String
    /// The source network's own id for it; `nil` where the network has none, and then no duplicate is recognised by it.
    package var remoteID: String?
    /// The router's own id for it: stays the same over retries and restarts, unique among the stored records.
    package var idempotencyKey: IdempotencyKey
    /// When the router accepted it, unix milliseconds.
    package var createdAt: Int64
    /// When it is no longer worth delivering, unix milliseconds; 0 = never.
    package var expiresAt: Int64
    /// Delivery attempts made so far.
    package var attempts: Int
    /// Not to be tried before, unix milliseconds; 0 = at once, never deferred.
    package var nextAttemptAt: Int64
    /// Why the last attempt was deferred; `nil` before the first deferral.
    package var deferralReason: String?
    /// The message itself, opaque to the spool.
    package var payload: [UInt8]
    /// What is wrong with it on disk; `nil` if it is what was stored, and in a record to be appended.
    package var damage: Damage?

    /// What can be wrong with a stored message.
    package enum Damage: Hashable, Sendable {
        /// It is not what was stored: its checksum does not fit.
        case altered
        /// The database is broken where it lies, so that it can neither be read nor removed; the record has its sequence
        /// and nothing else.
        case unreadable
    }

    /// Makes a record; only what an append needs has no default.
    package init(
        sequence: Int64 = 0,
        destination: String,
        conversation: String,
        source: String,
        remoteID: String? = nil,
        idempotencyKey: IdempotencyKey,
        createdAt: Int64,
        expiresAt: Int64 = 0,
        attempts: Int = 0,
        nextAttemptAt: Int64 = 0,
        deferralReason: String? = nil,
        payload: [UInt8]
    ) {
        self.sequence = sequence
        self.destination = destination
        self.conversation = conversation
        self.source = source
        self.remoteID = remoteID
        self.idempotencyKey = idempotencyKey
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.attempts = attempts
        self.nextAttemptAt = nextAttemptAt
        self.deferralReason = deferralReason
        self.payload = payload
    }

    /// What stands for a message that cannot be read.
    init(unreadable sequence: Int64) {
        self.init(
            sequence: sequence,
            destination: "",
            conversation: "",
            source: "",
            idempotencyKey: IdempotencyKey(high: 0, low: 0),
            createdAt: 0,
            payload: []
        )
        self.damage = .unreadable
    }
}

/// Sixteen bytes that name one message for ever, made by the router.
package struct IdempotencyKey: Hashable, Sendable {
    /// Length on the wire and on disk, in bytes.
    package static let byteCount = 16

    /// The first eight bytes, most significant first.
    package let high: UInt64
    /// The last eight bytes, most significant first.
    package let low: UInt64

    /// Makes a key from two halves, for example two random numbers.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Makes a key from its bytes; `nil` unless there are exactly 16.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        func number(_ part: some Sequence<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(high: number(bytes.prefix(8)), low: number(bytes.dropFirst(8)))
    }

    /// The key's 16 bytes.
    package var bytes: [UInt8] {
        withUnsafeBytes(of: (self.high.bigEndian, self.low.bigEndian)) { Array($0) }
    }
}

/// One thing that is asked of a store.
package enum StoreOperation: Hashable, Sendable {
    /// The value of a key.
    case get(key: [UInt8])
    /// Stores a value, if the condition holds.
    case put(key: [UInt8], value: [UInt8], condition: StoreCondition)
    /// Removes a key; one that is not there is removed already.
    case remove(key: [UInt8])
    /// The keys that begin with `prefix` and come after `after`, in the order of their bytes, at most `limit`.
    case list(prefix: [UInt8], after: [UInt8], limit: Int)

    /// Bytes that it carries, for limits.
    package var byteCount: Int {
        switch self {
        case .get(let key), .remove(let key): key.count
        case .put(let key, let value, .equals(let expected)): key.count + value.count + expected.count
        case .put(let key, let value, _): key.count + value.count
        case .list(let prefix, let after, _): prefix.count + after.count
        }
    }

    /// Whether it changes nothing.
    var isReading: Bool {
        switch self {
        case .get, .list: true
        case .put, .remove: false
        }
    }
}

/// What must be there for a value to be stored.
package enum StoreCondition: Hashable, Sendable {
    /// Whatever is there.
    case none
    /// Nothing.
    case absent
    /// This value.
    case equals([UInt8])
}

/// What a store answers.
package enum StoreAnswer: Hashable, Sendable {
    /// Of `get`; nil: there is none.
    case value([UInt8]?)
    /// Of `put` and `remove`: it is on disk.
    case done
    /// Of `put`: the condition does not hold; what is there instead.
    case conflict([UInt8]?)
    /// Of `list`.
    case keys([[UInt8]])
}

/// The bounds on what one name space may keep.
package struct StoreLimits: Hashable, Sendable {
    /// Bytes of a key; the least is 1.
    package var keyBytesMax = 512
    /// Bytes of a value; the least is 0.
    package var valueBytesMax = 1 << 20
    /// Keys of a name space.
    package var entriesMax = 100_000
    /// Keys and values of a name space together, in bytes.
    package var totalBytesMax = 256 << 20
    /// Keys that one `list` answers with.
    package var listMax = 1000

    package init() {}

    /// The bounds on secrets, which are few and short.
    package static var secrets: StoreLimits {
        var limits = StoreLimits()
        limits.valueBytesMax = 64 << 10
        limits.entriesMax = 100_000
        limits.totalBytesMax = 64 << 20
        return limits
    }
}

/// A store of many name spaces, in which work is done in the order in which it was asked for.
package protocol KeyValueBackend: Sendable {
    /// The bounds on each name space.
    var limits: StoreLimits { get }

    /// Does it, and then calls `done` on a thread of the store's own, once.
    ///
    /// What was changed is on disk by then. Any thread.
    func perform(
        _ operation: StoreOperation,
        in space: String,
        done: @escaping @Sendable (Result<StoreAnswer, StoreError>) -> Void
    )
}

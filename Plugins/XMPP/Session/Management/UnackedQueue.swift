/// What was written to a managed stream and not acknowledged yet, in order (XEP-0198 §4).
///
/// Counts go modulo 2^32, as the protocol has them.
package struct UnackedQueue<Item> {
    /// Most items; the owner stops writing there until some are acknowledged.
    package let max: Int
    /// The count that was acknowledged last.
    package private(set) var handled: UInt32 = 0
    private var items: [Item] = []

    /// A queue of a stream on which counting begins.
    ///
    /// - Parameter handled: the count to go on from.
    package init(max: Int, handled: UInt32 = 0) {
        self.max = max
        self.handled = handled
    }

    /// How many wait for their acknowledgement.
    package var count: Int { self.items.count }
    /// Whether none waits.
    package var isEmpty: Bool { self.items.isEmpty }
    /// Whether nothing more may be written.
    package var isFull: Bool { self.items.count >= self.max }
    /// The count of what was written, which the peer cannot exceed.
    package var written: UInt32 { self.handled &+ UInt32(truncatingIfNeeded: self.items.count) }

    /// Notes what was written.
    package mutating func append(_ item: Item) {
        precondition(!self.isFull, "more was written than may wait for an acknowledgement")
        self.items.append(item)
    }

    /// The peer has handled so many: what is settled by that, in order.
    ///
    /// - Throws: ``StreamManagementError/handledTooMany(_:written:)``
    package mutating func acknowledge(_ count: UInt32) throws(StreamManagementError) -> [Item] {
        let settled = count &- self.handled
        // A count that goes back is, modulo 2^32, one that is much too large.
        guard settled <= UInt32(clamping: self.items.count) else {
            throw .handledTooMany(count, written: self.written)
        }
        self.handled = count
        defer { self.items.removeFirst(Int(settled)) }
        return Array(self.items.prefix(Int(settled)))
    }

    /// Takes all out, to be written once more or given up; the count stays.
    package mutating func takeAll() -> [Item] {
        defer { self.items = [] }
        return self.items
    }
}

/// How a peer breaks the rules of stream management.
package enum StreamManagementError: Error, Hashable, Sendable {
    /// It acknowledges more than was sent to it.
    case handledTooMany(UInt32, written: UInt32)
}

extension StreamManagementError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .handledTooMany(let handled, let written):
            "The peer says that it handled \(handled) stanzas of this stream, but only \(written) were sent: its "
                + "stream management is broken; stream_management: false does without it."
        }
    }
}

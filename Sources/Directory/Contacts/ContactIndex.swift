package import IMModel
internal import NIOConcurrencyHelpers

/// Who is on whose list and who sees whom, in memory.
///
/// Any thread: a question takes a lock for the time of one look-up, and one of 16 locks, by the owner. Each owner's sets
/// are immutable and replaced when something changes, so who has one can keep it.
package final class ContactIndex: Sendable {
    /// One owner's list.
    package struct Entry: Hashable, Sendable {
        /// Those on the list.
        package var listed: Set<Address> = []
        /// Those who see the owner's presence.
        package var watchers: Set<Address> = []
        /// Those whose presence the owner sees.
        package var watched: Set<Address> = []
        /// Those who have asked to see the owner's presence, and wait for an answer.
        package var askers: Set<Address> = []

        var isEmpty: Bool { listed.isEmpty && watchers.isEmpty && watched.isEmpty && askers.isEmpty }
    }

    private static let shardCount = 16
    private let shards = (0..<shardCount).map { _ in NIOLockedValueBox<[Address: Entry]>([:]) }

    init() {}

    private func shard(_ owner: Address) -> NIOLockedValueBox<[Address: Entry]> {
        shards[Int(UInt(bitPattern: owner.hashValue) % UInt(Self.shardCount))]
    }

    /// An owner's list; empty if there is none.
    package func entry(of owner: Address) -> Entry { shard(owner).withLockedValue { $0[owner] } ?? Entry() }

    /// Whether `contact` is on the list of `owner`.
    package func hasAdded(owner: Address, contact: Address) -> Bool {
        entry(of: owner).listed.contains(contact)
    }

    /// All owners of a list that is not empty, in no order.
    package var owners: [Address] { shards.flatMap { $0.withLockedValue { Array($0.keys) } } }

    /// Takes over what has become of a contact; nil: nothing is kept of it.
    func update(owner: Address, address: Address, _ contact: Contact?) {
        shard(owner).withLockedValue { entries in
            var entry = entries.removeValue(forKey: owner) ?? Entry()
            Self.set(&entry.listed, address, contact?.isListed ?? false)
            Self.set(&entry.watchers, address, contact?.state.isSeenByContact ?? false)
            Self.set(&entry.watched, address, contact?.state.seesContact ?? false)
            Self.set(&entry.askers, address, contact?.state.isPendingIn ?? false)
            if !entry.isEmpty { entries[owner] = entry }
        }
    }

    private static func set(_ members: inout Set<Address>, _ address: Address, _ isMember: Bool) {
        if isMember { members.insert(address) } else { members.remove(address) }
    }
}

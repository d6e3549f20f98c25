internal import ProviderKit

/// Home users' presence that is still to be handed to the router: of each sender, device and recipient the latest only.
///
/// The home provider's loop only.
struct PresenceOutbox {
    private struct Key: Hashable {
        var from: Address
        var device: String
        var to: Address
    }

    private var waiting: [Key: Envelope] = [:]
    private var order: [Key] = []

    /// The most that wait; past it new ones are dropped, which the next change makes good.
    static let countMax = 200_000

    var isEmpty: Bool { waiting.isEmpty }
    var count: Int { waiting.count }

    /// Puts one in, in the place of an older one if there is one; false if there is no room.
    @discardableResult
    mutating func put(_ envelope: Envelope, countMax: Int = countMax) -> Bool {
        let key = Key(from: envelope.from, device: envelope.fromDevice, to: envelope.to)
        if waiting[key] == nil {
            guard waiting.count < countMax else { return false }
            order.append(key)
        }
        waiting[key] = envelope
        return true
    }

    /// Offers them in order until one is not taken, which stays with those behind it.
    mutating func offer(_ take: (Envelope) -> Bool) {
        var done = 0
        for key in order {
            guard let envelope = waiting[key] else { continue }
            guard take(envelope) else { break }
            waiting[key] = nil
            done += 1
        }
        order.removeFirst(done)
    }
}

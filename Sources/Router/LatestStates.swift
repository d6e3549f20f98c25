internal import CPlugboard
internal import PluginHost

/// Presence and typing that wait for room in a lane: of each sender, recipient and kind only the latest.
///
/// An older one is worthless as soon as there is a newer one, so a slow target makes these neither pile up nor hold up
/// what comes from the same source. Worker's loop only.
struct LatestStates {
    /// Whose state it is, towards whom.
    private struct Key: Hashable {
        var target: Int
        var kind: UInt16
        /// From, from_device, to, to_device and account, each with its length in front.
        var parties: [UInt8]

        init(_ envelope: RoutedEnvelope) {
            let source = envelope.envelope.pointee
            target = envelope.header.pointee.target
            kind = source.kind
            parties = []
            for field in [source.from, source.from_device, source.to, source.to_device, source.account] {
                withUnsafeBytes(of: UInt32(truncatingIfNeeded: field.count)) { parties.append(contentsOf: $0) }
                parties.append(contentsOf: field.bytes)
            }
        }
    }

    private var waiting: [Key: RoutedEnvelope] = [:]
    /// In the order in which each first had to wait.
    private var order: [Key] = []
    private let countMax: Int

    /// - Parameter countMax: the most that wait; see ``put(_:)``.
    init(countMax: Int) {
        self.countMax = countMax
    }

    var count: Int { waiting.count }
    var isEmpty: Bool { waiting.isEmpty }

    /// What became of a state that was to wait.
    enum Put {
        /// It waits.
        case waits
        /// It waits in the place of an older one, which is the caller's to release.
        case replaced(RoutedEnvelope)
        /// Too many wait, and none of them is an older one of it.
        case full
    }

    /// Lets a state wait.
    mutating func put(_ envelope: RoutedEnvelope) -> Put {
        let key = Key(envelope)
        if let older = waiting[key] {
            waiting[key] = envelope
            return .replaced(older)
        }
        guard waiting.count < countMax else { return .full }
        waiting[key] = envelope
        order.append(key)
        return .waits
    }

    /// Puts a state in the place of an older one that waits; nil, and nothing is done, if there is none.
    ///
    /// - Returns: the older one, which is the caller's to release.
    mutating func replace(with envelope: RoutedEnvelope) -> RoutedEnvelope? {
        guard !waiting.isEmpty else { return nil }
        return waiting.updateIfPresent(envelope, for: Key(envelope))
    }

    /// Offers all that wait, in order; those for which `pass` is true are gone.
    ///
    /// - Returns: how many went.
    mutating func pass(_ pass: (RoutedEnvelope, _ target: Int) -> Bool) -> Int {
        var kept: [Key] = []
        for key in order {
            guard let envelope = waiting[key] else { continue }
            if pass(envelope, key.target) { waiting[key] = nil } else { kept.append(key) }
        }
        defer { order = kept }
        return order.count - kept.count
    }

    /// Takes all out.
    mutating func removeAll() -> [RoutedEnvelope] {
        defer { (waiting, order) = ([:], []) }
        return order.compactMap { waiting[$0] }
    }
}

extension Dictionary {
    /// Changes the value of a key that is there; the old one.
    fileprivate mutating func updateIfPresent(_ value: Value, for key: Key) -> Value? {
        guard let index = index(forKey: key) else { return nil }
        let old = values[index]
        values[index] = value
        return old
    }
}

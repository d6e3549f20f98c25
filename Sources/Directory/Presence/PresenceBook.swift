package import IMModel

/// What is known of everybody's presence: of the home users by device, of their contacts as last heard.
///
/// Pure: time is an argument, in ms since 1970. The latest value wins; what has changed several times before it is taken
/// is taken once. Of a contact's presence, what one home user hears is not shown to another: a network may tell each
/// something else.
package struct PresenceBook {
    /// Bounds on what is kept.
    package struct Limits: Hashable, Sendable {
        /// Devices of one home user, and of one contact towards one home user.
        package var devicesMax = 16
        /// Contacts whose presence is kept, counted for each home user who hears it; some 400 bytes each.
        package var contactsMax = 200_000

        package init() {}
    }

    /// The longest status text, in bytes; a contact's longer one is cut off.
    package static let statusBytesMax = 1023
    /// The longest name of a device, in bytes.
    package static let deviceBytesMax = 1023

    /// One presence that is to be told: a home user's device to those who see it, or a contact to a home user.
    package struct Update: Hashable, Sendable {
        /// Whose presence.
        package var user: Address
        package var device: String
        package var presence: Presence
        /// The one who is to be told; nil: all who see it.
        package var to: Address?
    }

    /// One home user's device.
    package struct Device: Hashable, Sendable {
        package var user: Address
        package var name: String
    }

    /// A contact, as one home user sees it.
    private struct Sight: Hashable {
        var viewer: Address
        var contact: Address
    }

    private let limits: Limits
    /// Of home users, by device; one that is offline is kept only as the user's last.
    private var home: [Address: [String: Presence]] = [:]
    /// Of contacts, by device.
    private var heard: [Sight: [String: Presence]] = [:]
    /// Who sees somebody of a domain.
    private var sightsByDomain: [String: Set<Sight>] = [:]
    /// Domains whose link is lost, with the time at which their users' presence is unknown; nil: it is already.
    private var lost: [String: Int64?] = [:]
    /// Home users' devices whose presence is to be told, in the order of their first change.
    private var changed: [Device] = []
    private var isChanged: Set<Device> = []

    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    // MARK: Home users

    /// Takes over the presence of a home user's device.
    ///
    /// - Returns: what is to be stored of it; nil: nothing has changed.
    package mutating func set(
        _ presence: Presence,
        of user: Address,
        device: String,
        now: Int64
    ) throws(DirectoryError) -> Presence? {
        guard presence.status.utf8.count <= Self.statusBytesMax else {
            throw .statusTooLong(bytes: presence.status.utf8.count, limit: Self.statusBytesMax)
        }
        guard device.utf8.count <= Self.deviceBytesMax else {
            throw .deviceTooLong(bytes: device.utf8.count, limit: Self.deviceBytesMax)
        }
        var devices = home[user] ?? [:]
        if let present = devices[device], present.says(presence) { return nil }
        // Of those that are offline only the last one's words count.
        devices = devices.filter { $0.key == device || $0.value.isOnline }
        guard devices[device] != nil || devices.count < limits.devicesMax else {
            throw .tooManyDevices(user: user, limit: limits.devicesMax)
        }
        var presence = presence
        presence.changed = now
        devices[device] = presence
        home[user] = devices
        note(Device(user: user, name: device))
        return presence
    }

    /// Takes over what was stored, without telling anybody.
    package mutating func restore(_ presence: Presence, of user: Address, device: String) {
        guard home[user, default: [:]].count < limits.devicesMax else { return }
        home[user, default: [:]][device] = presence
    }

    /// Has all devices of a home user told again.
    package mutating func tellAgain(_ user: Address) {
        for device in (home[user] ?? [:]).keys.sorted() { note(Device(user: user, name: device)) }
    }

    private mutating func note(_ device: Device) {
        if isChanged.insert(device).inserted { changed.append(device) }
    }

    /// The presence of a home user's devices that can be reached, most important first.
    package func devices(of user: Address) -> [(name: String, presence: Presence)] {
        (home[user] ?? [:]).filter(\.value.isOnline).map { (name: $0.key, presence: $0.value) }
            .sorted { ($1.presence.rank, $0.name) < ($0.presence.rank, $1.name) }
    }

    /// The users of whom anything is known.
    package var homeUsers: [Address] { Array(home.keys) }

    /// A home user's presence as a whole: of the device of the highest priority, of several of these the most reachable;
    /// offline, with the last words, if there is none.
    package func presence(of user: Address) -> Presence {
        let devices = home[user] ?? [:]
        return Self.combined(devices) ?? Presence(.offline)
    }

    /// What an asker is told of a home user: each device that can be reached, else that there is none.
    package func answer(to asker: Address, about user: Address) -> [Update] {
        let devices = devices(of: user)
        guard !devices.isEmpty else {
            return [Update(user: user, device: "", presence: presence(of: user), to: asker)]
        }
        return devices.map { Update(user: user, device: $0.name, presence: $0.presence, to: asker) }
    }

    /// What an asker is told who may not see a home user any more: each device that could be reached is offline.
    package func farewell(to asker: Address, from user: Address) -> [Update] {
        devices(of: user).map { Update(user: user, device: $0.name, presence: Presence(.offline), to: asker) }
    }

    /// Home users' presence that has changed since the last call, each device once, with its latest value.
    package mutating func takeChanged() -> [Update] {
        defer {
            changed = []
            isChanged = []
        }
        return changed.map { device in
            let presence = home[device.user]?[device.name] ?? Presence(.offline)
            return Update(user: device.user, device: device.name, presence: presence, to: nil)
        }
    }

    // MARK: Contacts

    /// Takes over what a home user hears of a contact's device.
    ///
    /// What is known to be older than what is there is passed over, as is what there is no room for.
    ///
    /// - Returns: whether it was taken.
    @discardableResult
    package mutating func hear(
        _ presence: Presence,
        of contact: Address,
        device: String,
        by viewer: Address,
        now: Int64
    ) -> Bool {
        let sight = Sight(viewer: viewer, contact: contact)
        var devices = heard[sight] ?? [:]
        var presence = presence
        presence.status = presence.status.prefix(utf8Count: Self.statusBytesMax)
        // A clock that is ahead must not make a value the latest for ever.
        presence.changed = presence.changed > 0 ? min(presence.changed, now) : now
        if let present = devices[device], present.availability != .unknown, presence.changed < present.changed {
            return false
        }
        guard device.utf8.count <= Self.deviceBytesMax, !devices.isEmpty || heard.count < limits.contactsMax else {
            return false
        }
        devices = devices.filter(\.value.isOnline)
        if !presence.isOnline {
            // Without a device it is about all of them.
            if device.isEmpty { devices = [:] } else { devices[device] = nil }
        }
        guard devices[device] != nil || devices.count < limits.devicesMax else { return false }
        if presence.isOnline || devices.isEmpty { devices[device] = presence }
        heard[sight] = devices
        sightsByDomain[contact.domain, default: []].insert(sight)
        return true
    }

    /// What a home user last heard of a contact as a whole; nil: nothing yet.
    package func presence(of contact: Address, seenBy viewer: Address) -> Presence? {
        heard[Sight(viewer: viewer, contact: contact)].flatMap(Self.combined)
    }

    /// Forgets what a home user has heard of a contact.
    package mutating func forget(_ contact: Address, seenBy viewer: Address) {
        let sight = Sight(viewer: viewer, contact: contact)
        heard[sight] = nil
        sightsByDomain[contact.domain]?.remove(sight)
        if sightsByDomain[contact.domain]?.isEmpty == true { sightsByDomain[contact.domain] = nil }
    }

    // MARK: Links

    /// Notes that the link to a domain is lost: after the grace period its users' presence is unknown.
    package mutating func linkLost(_ domain: String, now: Int64, graceMs: Int64) {
        guard lost[domain] == nil else { return }
        lost[domain] = .some(now + graceMs)
    }

    /// Notes that the link to a domain is there again.
    ///
    /// - Returns: whether its users' presence had become unknown, so that they have to be asked for it.
    package mutating func linkRestored(_ domain: String) -> Bool {
        guard let due = lost.removeValue(forKey: domain) else { return false }
        return due == nil
    }

    /// Whether the link to a domain is known to be lost.
    package func isLost(_ domain: String) -> Bool { lost[domain] != nil }

    /// When ``takeUnknown(now:)`` has something to do next, in ms since 1970; nil: not before another link is lost.
    package var nextDue: Int64? { lost.values.compactMap(\.self).min() }

    /// Makes the presence unknown of everybody whose link has been lost for the grace period.
    ///
    /// - Returns: whom to tell what, in the order of contacts and viewers.
    package mutating func takeUnknown(now: Int64) -> [Update] {
        var updates: [Update] = []
        for (domain, due) in lost.sorted(by: { $0.key < $1.key }) {
            guard let due, due <= now else { continue }
            lost[domain] = .some(nil)
            for sight in sightsByDomain[domain] ?? [] {
                guard let last = heard[sight].flatMap(Self.combined), last.availability != .unknown else { continue }
                var unknown = Presence(.unknown)
                unknown.changed = now
                heard[sight] = ["": unknown]
                updates.append(Update(user: sight.contact, device: "", presence: unknown, to: sight.viewer))
            }
        }
        return updates.sorted {
            ($0.user.description, $0.to?.description ?? "") < ($1.user.description, $1.to?.description ?? "")
        }
    }

    /// Of several devices the one that speaks for all; of those that are offline, the last.
    private static func combined(_ devices: [String: Presence]) -> Presence? {
        devices.max { one, other in
            guard one.value.isOnline == other.value.isOnline else { return other.value.isOnline }
            guard one.value.isOnline else { return one.value.changed < other.value.changed }
            return (one.value.rank, other.key) < (other.value.rank, one.key)
        }?.value
    }
}

extension Presence {
    /// Whether messages reach them.
    package var isOnline: Bool {
        switch availability {
        case .unknown, .offline: false
        case .available, .chatty, .away, .extendedAway, .busy: true
        }
    }

    /// Priority first, then how reachable.
    fileprivate var rank: Int64 { Int64(priority) * 16 + reach }

    private var reach: Int64 {
        switch availability {
        case .chatty: 6
        case .available: 5
        case .busy: 4
        case .away: 3
        case .extendedAway: 2
        case .offline: 1
        case .unknown: 0
        }
    }

    /// Whether another says the same, whenever that was.
    fileprivate func says(_ other: Presence) -> Bool {
        var other = other
        other.changed = changed
        return self == other
    }
}

import OSCARWire

/// What a session has used of its rate limits.
struct RateBook: Sendable {
    /// What becomes of a request.
    enum Verdict: Hashable {
        case carriedOut
        /// Without a word.
        case dropped
        case disconnected
    }

    /// A class's limits, and what the session was last told.
    fileprivate struct Entry: Sendable {
        var limits: RateClass
        var lastRequestAt: UInt64?
        var isDropping = false
        var told = RateChange.Event.cleared
    }

    /// The milliseconds without a frame after which a session is told where it stands.
    static let silenceMs: UInt64 = 1_000

    /// Whether 01/08 was sent, without which nothing is told.
    var isSubscribed = false
    private var entries: [Entry] = RateBook.classes.map { Entry(limits: $0) }

    /// Counts a request, carried out or not.
    mutating func count(_ kind: SNACKind, now: UInt64) -> Verdict {
        let index = Int(RateBook.classID(of: kind)) - 1
        let level = self.entries[index].level(at: now)
        self.entries[index].limits.level = level
        self.entries[index].lastRequestAt = now
        if level < self.entries[index].limits.disconnect { return .disconnected }
        if level < self.entries[index].limits.limit { self.entries[index].isDropping = true }
        if level >= self.entries[index].limits.clear { self.entries[index].isDropping = false }
        return self.entries[index].isDropping ? .dropped : .carriedOut
    }

    /// What the session must be told now, after ``silenceMs`` without a frame.
    mutating func changes(now: UInt64) -> [RateChange] {
        guard self.isSubscribed else { return [] }
        var changes: [RateChange] = []
        for index in self.entries.indices {
            let event = self.entries[index].event(at: now)
            guard event != self.entries[index].told else { continue }
            self.entries[index].told = event
            if event == .cleared { self.entries[index].isDropping = false }
            changes.append(RateChange(event, self.entries[index].record(at: now)))
        }
        return changes
    }

    /// The answer to 01/06.
    func rates(now: UInt64, hasState: Bool) -> Rates {
        let classes = self.entries.map { entry in
            var record = entry.limits
            record.state = hasState ? .init(time: UInt32(truncatingIfNeeded: now / 1_000), isDropping: false) : nil
            return record
        }
        return Rates(classes: classes, members: RateBook.members)
    }
}

extension RateBook.Entry {
    fileprivate func level(at now: UInt64) -> UInt32 {
        guard let last = self.lastRequestAt else { return self.limits.level }
        return self.limits.levelAfter(milliseconds: now - last)
    }

    fileprivate func event(at now: UInt64) -> RateChange.Event {
        let level = self.level(at: now)
        if self.isDropping { return level >= self.limits.clear ? .cleared : .limited }
        return level < self.limits.alert ? .alert : (level >= self.limits.clear ? .cleared : self.told)
    }

    fileprivate func record(at now: UInt64) -> RateClass {
        var record = self.limits
        record.level = self.level(at: now)
        record.state = .init(
            time: UInt32(truncatingIfNeeded: (now - (self.lastRequestAt ?? now)) / 1_000),
            isDropping: self.isDropping
        )
        return record
    }
}

extension RateBook {
    /// The five classes, as they are at the start of a session.
    static let classes: [RateClass] = [
        (80, 2_500, 2_000, 1_500, 800, 6_000), (80, 3_000, 2_000, 1_500, 1_000, 6_000),
        (20, 5_100, 5_000, 4_000, 3_000, 6_000), (20, 5_500, 5_300, 4_200, 3_000, 8_000),
        (10, 5_500, 5_300, 4_200, 3_000, 8_000),
    ].enumerated().map { index, row in
        RateClass(
            id: UInt16(index + 1),
            window: row.0,
            clear: row.1,
            alert: row.2,
            limit: row.3,
            disconnect: row.4,
            level: row.5,
            max: row.5
        )
    }

    /// The requests of the classes but the first, which has all others.
    private static let special: [UInt16: [SNACKind]] = [
        2: [
            WatchBuddies.kind, UnwatchBuddies.kind, AddPermits.kind, RemovePermits.kind, AddDenies.kind,
            RemoveDenies.kind, SNACKind(0x0E, 5),
        ],
        3: [SendMessage.kind, UserInfoRequest.kind],
        4: [SNACKind(2, 9), SNACKind(2, 0x0B)],
    ]

    static func classID(of kind: SNACKind) -> UInt16 {
        RateBook.special.first { $0.value.contains(kind) }?.key ?? 1
    }

    /// The requests of each class.
    ///
    /// Class 1 has all others; those that the sandbox knows are named.
    static let members: [Rates.Members] = [
        .init(
            id: 1,
            kinds: [
                ClientReady.kind, SelfInfoRequest.kind, IdleTime.kind, SetStatus.kind, SetLocation.kind,
                UserInfoQuery.kind, TypingNotice.kind, StoredMessagesRequest.kind, FeedbagInsert.kind,
                FeedbagUpdate.kind, FeedbagDelete.kind,
            ]
        ),
        .init(id: 2, kinds: RateBook.special[2] ?? []), .init(id: 3, kinds: RateBook.special[3] ?? []),
        .init(id: 4, kinds: RateBook.special[4] ?? []), .init(id: 5, kinds: []),
    ]
}

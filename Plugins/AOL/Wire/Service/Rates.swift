/// The limits of one class of requests, and where the session stands.
///
/// With each request of the class, and also with those that are dropped, the level becomes
/// `min(max, (level * (window - 1) + milliseconds since the last one) / window)`. Below `limit` requests are dropped until
/// the level is back at `clear`; below `disconnect` the session ends.
///
///     size  field
///     2     class
///     4     window, clear, alert, limit, disconnect, level, max: 4 each
///     4     time, only if the client speaks version 2 or later of food group 01
///     1     whether requests are being dropped, as well
package struct RateClass: Hashable, Sendable {
    /// Its number.
    package var id: UInt16
    /// How many requests the level remembers, about.
    package var window: UInt32
    /// From here on nothing is dropped any more.
    package var clear: UInt32
    /// Below it the server warns.
    package var alert: UInt32
    /// Below it requests are dropped.
    package var limit: UInt32
    /// Below it the session ends.
    package var disconnect: UInt32
    /// Where the session stands.
    package var level: UInt32
    /// The level is never higher.
    package var max: UInt32
    /// The two fields of later versions; nil: the record ends before them.
    package var state: State?

    /// The fields of later versions.
    package struct State: Hashable, Sendable {
        /// When the last request was made.
        ///
        /// Servers do not agree on what it counts.
        package var time: UInt32
        /// Whether requests are being dropped.
        package var isDropping: Bool
        package init(time: UInt32, isDropping: Bool) {
            self.time = time
            self.isDropping = isDropping
        }
    }

    /// Bytes of a record without ``state``.
    static let shortBytes = 30
    /// Bytes of a record with ``state``.
    static let longBytes = 35

    package init(
        id: UInt16,
        window: UInt32,
        clear: UInt32,
        alert: UInt32,
        limit: UInt32,
        disconnect: UInt32,
        level: UInt32,
        max: UInt32,
        state: State? = nil
    ) {
        self.id = id
        self.window = window
        self.clear = clear
        self.alert = alert
        self.limit = limit
        self.disconnect = disconnect
        self.level = level
        self.max = max
        self.state = state
    }

    init(from reader: inout WireReader, hasState: Bool) throws(OSCARWireError) {
        let count = hasState ? RateClass.longBytes : RateClass.shortBytes
        var part = try reader.part(count, "a rate class")
        self.id = try part.integer("a rate class")
        self.window = try part.integer("a rate class")
        self.clear = try part.integer("a rate class")
        self.alert = try part.integer("a rate class")
        self.limit = try part.integer("a rate class")
        self.disconnect = try part.integer("a rate class")
        self.level = try part.integer("a rate class")
        self.max = try part.integer("a rate class")
        self.state = nil
        if hasState {
            let time: UInt32 = try part.integer("a rate class")
            let isDropping: UInt8 = try part.integer("a rate class")
            self.state = State(time: time, isDropping: isDropping != 0)
        }
    }

    func write(to writer: inout WireWriter) {
        writer.integer(self.id)
        for number in [
            self.window, self.clear, self.alert, self.limit, self.disconnect, self.level, self.max,
        ] { writer.integer(number) }
        if let state = self.state {
            writer.integer(state.time)
            writer.integer(state.isDropping ? UInt8(1) : 0)
        }
    }

    /// The level after one more request.
    ///
    /// - Parameter milliseconds: since the request before it.
    package func levelAfter(milliseconds: UInt64) -> UInt32 {
        guard self.window > 0 else { return self.max }
        let window = UInt64(self.window)
        let sum = (UInt64(self.level) * (window - 1)).addingReportingOverflow(milliseconds)
        return UInt32(Swift.min(UInt64(self.max), (sum.overflow ? UInt64.max : sum.partialValue) / window))
    }
}

/// 01/06: asks for the rate classes.
package struct RatesRequest: EmptyMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x06)
    package init() {}
}

/// 01/07: the rate classes, and which requests belong to them.
///
///     2 number of classes, the classes; then to the end: 2 class, 2 number of requests, 2 food group and 2 subtype each
///
/// Whether the classes have a ``RateClass/state`` depends on what the client said in 01/17. Read as a message, they have.
package struct Rates: SNACMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x07)
    /// The most classes: servers have five.
    package static let classesMax = 64

    package var classes: [RateClass]
    /// The requests of each class.
    package var members: [Members]

    /// The requests of a class.
    package struct Members: Hashable, Sendable {
        package var id: UInt16
        package var kinds: [SNACKind]
        package init(id: UInt16, kinds: [SNACKind]) {
            self.id = id
            self.kinds = kinds
        }
    }

    package init(classes: [RateClass], members: [Members]) {
        self.classes = classes
        self.members = members
    }

    package init(from reader: inout WireReader) throws(OSCARWireError) {
        try self.init(from: &reader, hasState: true)
    }

    /// Reads the body.
    ///
    /// - Parameter hasState: whether the client said that it speaks version 2 or later of food group 01.
    package init(from reader: inout WireReader, hasState: Bool) throws(OSCARWireError) {
        let count: UInt16 = try reader.integer("the number of rate classes")
        guard count <= Rates.classesMax else {
            throw .tooMany(list: "the rate classes", count: Int(count), max: Rates.classesMax)
        }
        self.classes = []
        for _ in 0..<count { self.classes.append(try RateClass(from: &reader, hasState: hasState)) }
        self.members = []
        while !reader.isAtEnd {
            guard self.members.count < Rates.classesMax else {
                throw .tooMany(list: "the rate groups", count: self.members.count + 1, max: Rates.classesMax)
            }
            let id: UInt16 = try reader.integer("a rate class")
            let count: UInt16 = try reader.integer("the number of a rate class's requests")
            var part = try reader.part(Int(count) * 4, "a rate class's requests")
            let numbers = try part.numbers("a rate class's requests")
            let kinds = stride(from: 0, to: numbers.count, by: 2).map { SNACKind(numbers[$0], numbers[$0 + 1]) }
            self.members.append(Members(id: id, kinds: kinds))
        }
    }

    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        writer.integer(try WireWriter.count16(self.classes.count, "the number of rate classes"))
        for rateClass in self.classes { rateClass.write(to: &writer) }
        for members in self.members {
            writer.integer(members.id)
            writer.integer(try WireWriter.count16(members.kinds.count, "the number of a rate class's requests"))
            for kind in members.kinds { writer.numbers([kind.family, kind.subtype]) }
        }
    }
}

/// 01/08: the client knows the classes; without it, no 01/0A comes.
///
///     2 class, each
package struct RatesAccepted: SNACMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x08)
    package var ids: [UInt16]
    package init(ids: [UInt16]) { self.ids = ids }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.ids = try reader.numbers("accepted rate classes")
    }
    package func write(to writer: inout WireWriter) { writer.numbers(self.ids) }
}

/// 01/0A: where the session stands with a class.
///
///     2 event, rate class
package struct RateChange: SNACMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x0A)

    /// What happened.
    package enum Event: UInt16, CaseIterable, Sendable {
        /// The limits are others now.
        case changed = 1
        /// Requests will soon be dropped.
        case alert = 2
        /// Requests are being dropped.
        case limited = 3
        /// They are not any more.
        case cleared = 4
    }

    /// See ``event``.
    package var code: UInt16
    package var rateClass: RateClass

    package init(_ event: Event, _ rateClass: RateClass) {
        self.code = event.rawValue
        self.rateClass = rateClass
    }

    /// What happened; nil if the code is an unknown one.
    package var event: Event? { Event(rawValue: self.code) }

    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.code = try reader.integer("a rate event")
        self.rateClass = try RateClass(from: &reader, hasState: reader.remaining >= RateClass.longBytes)
    }

    package func write(to writer: inout WireWriter) {
        writer.integer(self.code)
        self.rateClass.write(to: &writer)
    }
}

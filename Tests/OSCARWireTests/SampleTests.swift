import OSCARWire
import Testing

@Suite struct SampleTests {
    @Test(arguments: Samples.all) func aMessageIsReadAsItWasWritten(_ sample: Sample) throws {
        #expect(try sample.isEqual(try SNAC(payload: try sample.snac.encoded())))
        #expect(try sample.rewrite(sample.snac).body == sample.snac.body)
    }

    @Test(arguments: Samples.all) func aMessageThatIsCutShortIsRefusedOrSaysLess(_ sample: Sample) throws {
        for count in sample.snac.body.indices {
            var short = sample.snac
            short.body = Array(short.body.prefix(count))
            // FeedbagUnchanged has two lengths, and a block of TLVs may end after any of them.
            if let again = try? sample.rewrite(short) { #expect(again.body.count <= sample.snac.body.count) }
        }
    }

    @Test func eachKindOfMessageHasItsOwnNumber() {
        // Two messages can have the same number only where both sides send it, or where a sample has another form.
        let names = Dictionary(grouping: Samples.all, by: \.snac.kind).mapValues { Set($0.map(\.testDescription)) }
        for (kind, names) in names { #expect(names.count == 1, "\(kind)") }
        #expect(names.count == 77)
    }
}

@Suite struct LimitTests {
    private func refuses(_ error: OSCARWireError, _ read: () throws -> Void) {
        #expect(throws: error, performing: read)
    }

    @Test func aUsersSessionsHaveALimit() throws {
        let blocks = [UserInfo](repeating: UserInfo(name: name("a")), count: SelfInfo.blocksMax)
        #expect(try SNAC(SelfInfo(blocks: blocks), requestID: 1).message(SelfInfo.self).blocks.count == 64)
        let more = try SNAC(SelfInfo(blocks: blocks + blocks.prefix(1)), requestID: 1)
        self.refuses(.tooMany(list: "the sessions of 01/0F", count: 65, max: 64)) {
            _ = try more.message(SelfInfo.self)
        }
    }

    @Test func rateClassesHaveALimit() throws {
        let classes = [RateClass](repeating: Samples.rateClass, count: Rates.classesMax)
        let members = [Rates.Members](repeating: .init(id: 1, kinds: []), count: Rates.classesMax)
        #expect(
            try SNAC(Rates(classes: classes, members: members), requestID: 1).message(Rates.self).classes.count == 64
        )
        let more = try SNAC(Rates(classes: classes + classes.prefix(1), members: []), requestID: 1)
        self.refuses(.tooMany(list: "the rate classes", count: 65, max: 64)) { _ = try more.message(Rates.self) }
        let groups = try SNAC(Rates(classes: [], members: members + members.prefix(1)), requestID: 1)
        self.refuses(.tooMany(list: "the rate groups", count: 65, max: 64)) { _ = try groups.message(Rates.self) }
    }

    @Test func missedMessagesHaveALimit() throws {
        let entry = MissedMessages.Entry(channel: 1, sender: UserInfo(name: name("a")), count: 1, reason: 0)
        let entries = [MissedMessages.Entry](repeating: entry, count: MissedMessages.entriesMax)
        let whole = try SNAC(MissedMessages(entries: entries), requestID: 1)
        #expect(try whole.message(MissedMessages.self).entries.count == 256)
        let more = try SNAC(MissedMessages(entries: entries + [entry]), requestID: 1)
        self.refuses(.tooMany(list: "missed messages", count: 257, max: 256)) {
            _ = try more.message(MissedMessages.self)
        }
    }

    @Test func theFragmentsOfATextHaveALimit() throws {
        let part = bytes("01 01 0004 0000 0000")
        let whole = [[UInt8]](repeating: part, count: InstantText.partsMax).flatMap { $0 }
        #expect(try InstantText(value: whole).parts.count == 64)
        self.refuses(.tooMany(list: "the fragments of a text", count: 65, max: 64)) {
            _ = try InstantText(value: whole + part)
        }
    }

    @Test func namesAndTextsFitTheirLengths() throws {
        var writer = WireWriter()
        try writer.lp8([UInt8](repeating: 1, count: 255), "x")
        #expect(writer.bytes.count == 256)
        self.refuses(.tooLong(field: "x", bytes: 256, max: 255)) {
            try writer.lp8([UInt8](repeating: 1, count: 256), "x")
        }
        self.refuses(.tooLong(field: "x", bytes: 65_536, max: 65_535)) {
            try writer.lp16([UInt8](repeating: 1, count: 65_536), "x")
        }
    }
}

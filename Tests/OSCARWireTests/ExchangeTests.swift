import OSCARWire
import Testing

/// Bytes as servers and other clients send them.
@Suite struct ExchangeTests {
    private func read<Message: SNACMessage>(_ body: String, as type: Message.Type = Message.self) throws -> Message {
        try SNAC(Message.kind, requestID: 1, body: bytes(body)).message()
    }

    private func written(_ message: some SNACMessage) throws -> [UInt8] { try SNAC(message, requestID: 1).body }

    @Test func aTextIsSentWithItsRecipientAsTyped() throws {
        let text = InstantText(markup: "<HTML><BODY>hello</BODY></HTML>")
        let message = try SendMessage(cookie: 0x4142_4344_4546_4748, to: name("bob test"), text: text)
        let expected = bytes(
            """
            "ABCDEFGH" 0001 08"bob test"
            0002 002C 05 01 0001 01 01 01 0023 0000 0000 "<HTML><BODY>hello</BODY></HTML>"
            0003 0000
            """
        )
        #expect(try self.written(message) == expected)
    }

    @Test func aTextMayComeInPartsWithCharsetsOfTheirOwn() throws {
        let message: IncomingMessage = try self.read(
            """
            0000000000000001 0001 0A"Alice Test" 0000 0001 0001 0002 0011
            0002 001D 05 01 0000 01 01 0006 0000 0000 "a " 01 01 0006 0002 0000 4E2D 07 01 0001 FF
            0008 0000 9999 0001 07 000B 0000
            """
        )
        #expect(message.sender.name == name("alicetest"))
        #expect(try message.text()?.markup == "a 中")
        #expect(message.wantsTyping)
        #expect(!message.isAutomatic)
        #expect(try message.sentAt() == nil)
        #expect(message.tlvs[0x9999] == [7])
    }

    @Test func aStoredMessageHasAPlainSenderAndATime() throws {
        let message: IncomingMessage = try self.read(
            """
            0000000000000009 0001 09"alicetest" 0000 0000
            0002 000F 05 01 0001 01 01 01 0006 0000 0000 "hi" 0003 0000 0006 0000 0016 0004 6553F100
            """
        )
        #expect(message.sender.tlvs.entries.isEmpty)
        #expect(try message.sentAt() == 0x6553_F100)
        #expect(try message.text()?.markup == "hi")
    }

    @Test func aRendezvousIsReadToItsCapability() throws {
        let message: IncomingMessage = try self.read(
            """
            0000000000000002 0002 03"bob" 0000 0000
            0005 0020 0000 0000000000000002 094613434C7F11D18222444553540000 000A 0002 0001
            """
        )
        let rendezvous = try #require(try message.rendezvous())
        #expect(rendezvous.kind == .request)
        #expect(rendezvous.capability == .fileTransfer)
        #expect(rendezvous.capability.description == "09461343-4C7F-11D1-8222-444553540000")
        #expect(rendezvous.tlvs.entries == [TLV(0x0A, [0, 1])])
    }

    @Test func ownInfoComesInSeveralBlocksWithRepeatedTags() throws {
        let block = "0A\"Alice Test\" 0000 0003 0001 0002 0011 0003 0004 00000001 0003 0004 00000002"
        let info: SelfInfo = try self.read("\(block) \(block)")
        #expect(info.blocks.count == 2)
        #expect(info.blocks[0].flags == [.unconfirmed, .free])
        #expect(info.blocks[1].signedOnAt == 1)
    }

    @Test func presenceIsReadFromTheInfo() throws {
        let arrived: BuddyArrived = try self.read(
            """
            0A"Alice Test" 0064 0004 0001 0002 00B0 0004 0002 000A 0006 0004 00000100
            000D 0010 0946134E4C7F11D18222444553540000
            """
        )
        #expect(arrived.user.warning == 100)
        #expect(arrived.user.flags == [.away, .free, .wireless])
        #expect(arrived.user.idleMinutes == 10)
        #expect(arrived.user.status == .invisible)
        #expect(arrived.user.capabilities == [.utf8])
    }

    @Test func aDamagedDetailLeavesTheRest() throws {
        let arrived: BuddyArrived = try self.read("03\"bob\" 0000 0003 0001 0001 20 0004 0000 000D 0003 010203")
        #expect(arrived.user.flags == [])
        #expect(arrived.user.idleMinutes == nil)
        #expect(arrived.user.capabilities == [])
    }

    @Test(arguments: ["09\"alicetest\" 0000 0001 0001 0002 0000", "09\"alicetest\" 0000 0000"])
    func bothFormsOfAGoodbyeAreRead(_ body: String) throws {
        #expect(try self.read(body, as: BuddyDeparted.self).user.name == name("Alice Test"))
    }

    @Test func anItemIsWrittenAsOtherClientsWriteIt() throws {
        let root = FeedbagItem(
            .group,
            name: "",
            groupID: 0,
            itemID: 0,
            attributes: TLVBlock([FeedbagItem.order([1])])
        )
        let group = FeedbagItem(
            .group,
            name: "Buddies",
            groupID: 1,
            itemID: 0,
            attributes: TLVBlock([FeedbagItem.order([10])])
        )
        let buddy = FeedbagItem(
            .buddy,
            name: "BobTest",
            groupID: 1,
            itemID: 10,
            attributes: TLVBlock([TLV(FeedbagItem.Attribute.alias, text: "Bob é")])
        )
        let expected = bytes(
            """
            0000 0000 0000 0001 0006 00C8 0002 0001
            0007"Buddies" 0001 0000 0001 0006 00C8 0002 000A
            0007"BobTest" 0001 000A 0000 000A 0131 0006 "Bob é"
            """
        )
        #expect(try self.written(FeedbagInsert(items: [root, group, buddy])) == expected)
        let again = try SNAC(FeedbagInsert.kind, requestID: 1, body: expected).message(FeedbagInsert.self).items
        #expect(again == [root, group, buddy])
        #expect(again[0].order == [1])
        #expect(again[2].screenName == name("bobtest"))
        #expect(again[2].alias == "Bob é")
    }

    @Test func anEmptyListIsAListToo() throws {
        #expect(try self.read("00 0000 00000000", as: FeedbagReply.self).items == [])
    }

    @Test(arguments: ["6B03B286 07", "6B03B286 0007"]) func theNumberOfAnUnchangedListHasTwoWidths(_ body: String)
        throws
    {
        #expect(try self.read(body, as: FeedbagUnchanged.self) == FeedbagUnchanged(changedAt: 0x6B03_B286, count: 7))
    }

    @Test func resultsAreReadInOrder() throws {
        let status: FeedbagStatus = try self.read("0000 000E 00FF")
        #expect(status.results == [.done, .needsAuthorization, .init(rawValue: 0xFF)])
        #expect(status.results[2].description == "error 0x00FF")
    }

    @Test func privacyIsAModeWithAList() throws {
        let reply: FeedbagReply = try self.read(
            "00 0002 0000 0000 0005 0004 0005 00CA 0001 04 0003\"eve\" 0000 0006 0003 0000 00000001"
        )
        #expect(reply.items[0].privacyMode == .allButDenied)
        #expect(reply.items[1].itemClass == .deny)
        #expect(reply.items[1].screenName == name("eve"))
    }

    @Test func limitsOfTheListGoByClass() throws {
        let rights: FeedbagRights = try self.read("0004 0006 003D 003D 0064")
        #expect(try rights.itemsMax(.buddy) == 61)
        #expect(try rights.itemsMax(.permit) == 100)
        #expect(try rights.itemsMax(.icon) == nil)
    }

    @Test func ratesAreReadInBothForms() throws {
        let numbers = "0003 00000014 000013EC 00001388 00000FA0 00000BB8 00001770 00001770"
        let groups = "0003 0002 0004 0006 0002 0005 0005 0000"
        var reader = WireReader(bytes("0001 \(numbers) \(groups)"))
        let short = try Rates(from: &reader, hasState: false)
        reader = WireReader(bytes("0001 \(numbers) 00000007 01 \(groups)"))
        let long = try Rates(from: &reader, hasState: true)
        #expect(short.classes[0].state == nil)
        #expect(long.classes[0].state == .init(time: 7, isDropping: true))
        #expect(short.members == long.members)
        #expect(short.members[0].kinds == [SNACKind(4, 6), SNACKind(2, 5)])
        #expect(short.members[1].kinds == [])
        #expect(try self.read("0003 \(numbers)", as: RateChange.self).event == .limited)
        #expect(try self.read("0002 \(numbers) 00000007 01", as: RateChange.self).rateClass == long.classes[0])
    }

    @Test func eightMessagesInARowAreAllowedAndTheNinthIsNot() {
        // Class 3, from rest, without a pause between the messages.
        var rateClass = Samples.rateClass
        var levels: [UInt32] = []
        for index in 0..<15 {
            rateClass.level = rateClass.levelAfter(milliseconds: index == 0 ? 60_000 : 0)
            levels.append(rateClass.level)
        }
        #expect(levels.firstIndex { $0 < rateClass.limit } == 8)
        #expect(levels.firstIndex { $0 < rateClass.disconnect } == 14)
        #expect(rateClass.levelAfter(milliseconds: .max) == rateClass.max)
        rateClass.window = 0
        #expect(rateClass.levelAfter(milliseconds: 0) == rateClass.max)
    }

    @Test func awayTextsAreSetTakenBackOrLeft() throws {
        #expect(try self.read("0004 0000", as: SetLocation.self).away() == .back)
        #expect(try self.read("0005 0000", as: SetLocation.self).away() == .unchanged)
        #expect(
            try self.read("0003 000A\"text/plain\" 0004 0003\"out\"", as: SetLocation.self).away()
                == .away(MIMEText(type: "text/plain", bytes: Array("out".utf8)))
        )
    }

    @Test func aListThatDoesNotComeOutEvenIsRefused() {
        #expect(throws: OSCARWireError.unevenList(list: "the capabilities", bytes: 15, entryBytes: 16)) {
            try SetLocation(tlvs: TLVBlock([TLV(5, [UInt8](repeating: 0, count: 15))])).capabilities()
        }
        #expect(throws: OSCARWireError.unevenList(list: "the server's food groups", bytes: 3, entryBytes: 2)) {
            try self.read("000102", as: HostOnline.self)
        }
        #expect(throws: OSCARWireError.unevenList(list: "versions of food groups", bytes: 6, entryBytes: 4)) {
            try self.read("0001 0004 0002", as: HostVersions.self)
        }
        #expect(throws: OSCARWireError.unevenList(list: "the client's food groups", bytes: 6, entryBytes: 8)) {
            try self.read("0001 0004 0002", as: ClientReady.self)
        }
    }
}

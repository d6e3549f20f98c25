import OSCARWire
import Testing

@Suite struct SNACTests {
    @Test func theHeaderIsReadAndTheRestIsTheBody() throws {
        let snac = try SNAC(payload: bytes("0001 0003 0000 80000000 0001 0004"))
        #expect(snac.kind == HostOnline.kind)
        #expect(snac.requestID == SNAC.serverStarted)
        #expect(try snac.message(HostOnline.self).families == [1, 4])
    }

    @Test func theTLVsBeforeABodyAreNotTheBodys() throws {
        let payload = bytes("0013 001C 8000 00000000 0006 0001 0002 0004 03\"bob\"")
        let snac = try SNAC(payload: payload)
        #expect(snac.flags == 0)
        #expect(snac.preamble == TLVBlock([TLV(1, [0, 4])]))
        #expect(try snac.message(AddedByUser.self).name.display == "bob")
        #expect(try snac.encoded() == payload)
    }

    @Test func anEmptyBlockBeforeABodyIsABlockToo() throws {
        let payload = bytes("0001 0016 8001 00000001 0000")
        let snac = try SNAC(payload: payload)
        #expect(snac.preamble == TLVBlock())
        #expect(snac.flags == SNAC.moreFollows)
        #expect(try snac.encoded() == payload)
    }

    @Test func eachBeginningOfAHeaderIsTooShort() {
        let whole = bytes("0013 001C 8000 00000000 0006 0001 0002 0004")
        for count in 0..<whole.count {
            #expect(throws: OSCARWireError.self) { try SNAC(payload: Array(whole.prefix(count))) }
        }
    }

    @Test func aMessageIsNotReadAsAnother() throws {
        let snac = SNAC(SNACKind(4, 0x14), requestID: 7)
        #expect(throws: OSCARWireError.unexpectedMessage(expected: SNACKind(4, 7), actual: SNACKind(4, 0x14))) {
            try snac.message(IncomingMessage.self)
        }
    }

    @Test func aKindIsWrittenAsInThePapers() {
        #expect(SNACKind(0x04, 0x0C).description == "04/0C")
        #expect(SNACKind(0x13, 0x123).description == "13/0123")
    }

    @Test func anErrorSaysItsCodeInWords() throws {
        var reader = WireReader(bytes("0004 0008 0002 000F"))
        let error = try SNACError(from: &reader)
        #expect(error == SNACError(.notLoggedOn, subcode: 0x0F))
        #expect(error.code.description.contains("not signed on"))
        #expect(try error.snac(family: 4, requestID: 9).body == bytes("0004 0008 0002 000F"))
        #expect(SNACError.Code(rawValue: 0x77).description == "error 0x0077")
    }
}

@Suite struct TLVTests {
    @Test func aTagMayComeTwiceAndTheFirstCounts() throws {
        var reader = WireReader(bytes("0003 0004 00000001 0003 0004 00000002"))
        let block = try TLVBlock(from: &reader)
        #expect(block.entries.count == 2)
        #expect(try block.integer(3, as: UInt32.self) == 1)
    }

    @Test func aBlockHoldsAsManyAsItsLimitAndNoMore() throws {
        let one = bytes("0001 0000")
        var reader = WireReader([[UInt8]](repeating: one, count: TLVBlock.countMax).flatMap { $0 })
        #expect(try TLVBlock(from: &reader).entries.count == 512)
        #expect(throws: OSCARWireError.tooMany(list: "a block of TLVs", count: 513, max: 512)) {
            var reader = WireReader([[UInt8]](repeating: one, count: TLVBlock.countMax + 1).flatMap { $0 })
            _ = try TLVBlock(from: &reader)
        }
    }

    @Test func theNumberOfACountedBlockIsBelieved() throws {
        var reader = WireReader(bytes("0001 0001 0001 AA BB"))
        #expect(try TLVBlock(countedFrom: &reader).entries == [TLV(1, [0xAA])])
        #expect(reader.remaining == 1)
        #expect(throws: OSCARWireError.truncated(field: "a TLV's tag", needed: 2, available: 0)) {
            var reader = WireReader(bytes("0002 0001 0001 AA"))
            _ = try TLVBlock(countedFrom: &reader)
        }
    }

    @Test func aValueThatIsCutShortIsRefused() {
        #expect(throws: OSCARWireError.truncated(field: "the TLV 0x0005", needed: 3, available: 2)) {
            var reader = WireReader(bytes("0005 0003 0102"))
            _ = try TLVBlock(from: &reader)
        }
    }

    @Test func aNumberNeedsItsBytes() throws {
        #expect(throws: OSCARWireError.shortTLV(tag: 8, needed: 2, actual: 1)) {
            try TLVBlock([TLV(8, [1])]).integer(8, as: UInt16.self)
        }
        #expect(try TLVBlock().integer(8, as: UInt16.self) == nil)
    }

    @Test func theLongestValueIsWrittenAndOneByteMoreIsNot() throws {
        let longest = [UInt8](repeating: 0, count: 65_535)
        #expect(try TLVBlock([TLV(2, longest)]).encoded().count == 65_539)
        #expect(throws: OSCARWireError.tooLong(field: "the TLV 0x0002", bytes: 65_536, max: 65_535)) {
            try TLVBlock([TLV(2, longest + [0])]).encoded()
        }
    }
}

import AIMSandbox
import OSCARWire
import Testing

@Suite struct LoginTests {
    @Test func theServerSpeaksFirstAndItsFirstNumberIsAHundred() throws {
        let world = try World()
        #expect(world.received(on: world.connect()) == bytes("2A 01 0064 0004 00000001"))
    }

    @Test(arguments: [false, true]) func bothDigestsAreTaken(_ hashed: Bool) throws {
        let reply = try World().logIn("a l i c e TEST", "alicepw", hashed: hashed)
        #expect(try reply.tlvs.text(1, "the name") == "a l i c e TEST")
        guard case .redirected(let host, let cookie) = try reply.result() else {
            Issue.record("refused")
            return
        }
        #expect(host == "127.0.0.1:5190")
        #expect(cookie.count == 256)
    }

    @Test(arguments: [false, true]) func aWrongPasswordIsRefused(_ hashed: Bool) throws {
        #expect(try World().logIn("alice test", "Alicepw", hashed: hashed).result() == .refused(.wrongPassword))
    }

    @Test func aSuspendedAccountIsRefused() throws {
        #expect(try World().logIn("eve", "evepw").result() == .refused(.suspended))
    }

    @Test func anUnknownNameIsRefusedBeforeThePassword() throws {
        let world = try World()
        let id = world.connect()
        world.send(frame(1, bytes("00000001")), on: id)
        _ = world.received(on: id)
        world.send(frame(2, bytes("0017 0006 0000 00000009 0001 0006\"nobody\"")), on: id)
        // No name, and no frame on channel 4 before the end.
        #expect(world.received(on: id) == bytes("2A 02 0065 0010 0017 0003 0000 00000009 0008 0002 0001"))
        #expect(world.closed == [id])
    }

    @Test func theRoastedLoginIsAnsweredOnChannelFour() throws {
        let world = try World()
        let id = world.connect()
        _ = world.received(on: id)
        let roasted = zip(Array("bobpw".utf8), bytes("F32681C439")).map { $0 ^ $1 }
        world.send(frame(1, bytes("00000001 0001 0003\"bob\" 0002 0005") + roasted), on: id)
        #expect(world.received(on: id) == bytes("2A 04 0065 000D 0001 0003\"bob\" 0008 0002 0008"))

        let other = world.connect()
        _ = world.received(on: other)
        world.send(frame(1, bytes("00000001 0001 0007\"bobtest\" 0002 0005") + roasted), on: other)
        let answer = try #require(try world.frames(on: other).first)
        #expect(answer.channel == .signOff)
        var reader = WireReader(answer.payload)
        #expect(try LoginReply(from: &reader).tlvs[6]?.count == 256)

        let third = world.connect()
        _ = world.received(on: third)
        world.send(frame(1, bytes("00000001 0001 0007\"bobtest\" 0002 0001 00")), on: third)
        #expect(world.received(on: third) == bytes("2A 04 0065 0011 0001 0007\"bobtest\" 0008 0002 0005"))
    }

    @Test func theEleventhLoginOfAnAddressIsRefusedBeforeItBeginsAndAMinuteLaterOneIsNot() throws {
        let world = try World()
        for _ in 0..<10 {
            let id = world.connect(from: "127.9.9.9")
            world.send(frame(1, bytes("00000001")), on: id)
            #expect(!world.closed.contains(id))
        }
        let id = world.connect(from: "127.9.9.9")
        _ = world.received(on: id)
        world.send(frame(1, bytes("00000001")), on: id)
        #expect(world.received(on: id) == bytes("2A 02 0065 0010 0017 0003 0000 00000000 0008 0002 001D"))
        #expect(world.closed.contains(id))
        let other = world.connect(from: "127.8.8.8")
        world.send(frame(1, bytes("00000001")), on: other)
        #expect(!world.closed.contains(other))
        world.wait(milliseconds: 60_000)
        let late = world.connect(from: "127.9.9.9")
        world.send(frame(1, bytes("00000001")), on: late)
        #expect(!world.closed.contains(late))
    }

    @Test func aLoginHasItsTimeAndItsFrames() throws {
        let world = try World()
        let slow = world.connect()
        world.wait(milliseconds: 29_999)
        #expect(world.closed.isEmpty)
        world.wait(milliseconds: 1)
        #expect(world.closed == [slow])

        let busy = world.connect()
        world.send(frame(1, bytes("00000001")), on: busy)
        for _ in 0..<9 { world.send(frame(2, bytes("0017 0099 0000 00000001")), on: busy) }
        #expect(!world.closed.contains(busy))
        world.send(frame(2, bytes("0017 0099 0000 00000001")), on: busy)
        #expect(world.closed.contains(busy))
    }

    @Test func aCookieIsGoodForAMinuteAndForMoreThanOneConnection() throws {
        let world = try World()
        guard case .redirected(_, let cookie) = try world.logIn("bob test", "bobpw").result() else { return }
        func present() -> Int {
            let id = world.connect()
            world.send(frame(1, bytes("00000001 0006 0100") + cookie), on: id)
            return id
        }
        #expect(!world.closed.contains(present()))
        world.wait(milliseconds: 59_999)
        #expect(!world.closed.contains(present()))
        world.wait(milliseconds: 1)
        let late = present()
        #expect(world.closed.contains(late))
        // The greeting, and not a word more.
        #expect(world.received(on: late) == bytes("2A 01 0064 0004 00000001"))
    }

    @Test func whatIsNoOSCAREndsTheConnection() throws {
        let world = try World()
        let id = world.connect()
        world.send(Array("GET / HTTP/1.0\r\n\r\n".utf8), on: id)
        #expect(world.closed == [id])
    }
}

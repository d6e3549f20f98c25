import Crypto
import OSCARWire
import Testing

@Suite struct LoginTests {
    private func md5(_ bytes: [UInt8]) -> [UInt8] { Array(Insecure.MD5.hash(data: bytes)) }

    @Test func theTwoDigestsAreOfThePasswordAndOfItsDigest() {
        // By md5sum: printf 'keysecretAOL Instant Messenger (SM)', and the same with the 16 bytes of MD5("secret").
        let key = Array("key".utf8)
        let password = Array("secret".utf8)
        let plain = PasswordDigest.plain.compute(key: key, password: password, md5: self.md5)
        let hashed = PasswordDigest.hashed.compute(key: key, password: password, md5: self.md5)
        #expect(plain == bytes("d73dde363c0a230aab4d1f53ec1aeac4"))
        #expect(hashed == bytes("5ed50749457fa795d2fd433fbd1767fa"))
    }

    @Test func aRoastedPasswordIsCombinedWithTheSeriesAgainAndAgain() {
        #expect(RoastedPassword.roast(Array("test".utf8)) == bytes("87 43 F2 B0"))
        let long = [UInt8](repeating: 0, count: 17)
        #expect(RoastedPassword.roast(long) == bytes("F32681C43986DB9271A3B9E6537A957C F3"))
        #expect(RoastedPassword.roast(RoastedPassword.roast(Array("päss word".utf8))) == Array("päss word".utf8))
    }

    @Test func theFirstFramesAreTheVersionAndWhatIsPresented() throws {
        #expect(try SignOnFrame().encoded() == bytes("00000001"))
        #expect(try SignOnFrame(cookie: [9, 8]).encoded() == bytes("00000001 0006 0002 0908"))
        let login = SignOnFrame(name: try ScreenName("Bob"), password: Array("pw".utf8), client: .init(name: "x"))
        let again = try SignOnFrame(payload: try login.encoded())
        #expect(again == login)
        #expect(try again.name()?.display == "Bob")
        #expect(again.password == Array("pw".utf8))
        #expect(again.cookie == nil)
    }

    @Test func anotherVersionIsRefused() {
        #expect(throws: OSCARWireError.unknownVersion(2)) { try SignOnFrame(payload: bytes("00000002")) }
    }

    @Test func aLoginIsAnsweredByAnAddressOrAReason() throws {
        var reader = WireReader(bytes("0001 0005\"alice\" 0005 000E\"127.0.0.1:5190\" 0006 0002 0102 008E 0001 00"))
        let accepted = try LoginReply(from: &reader)
        #expect(try accepted.result() == .redirected(host: "127.0.0.1:5190", cookie: [1, 2]))

        reader = WireReader(bytes("0001 0005\"alice\" 0008 0002 0005"))
        #expect(try LoginReply(from: &reader).result() == .refused(.wrongPassword))
        reader = WireReader(bytes("0008 0002 001D"))
        #expect(try LoginReply(from: &reader).result() == .refused(.tooFast))
        #expect(LoginFailure.tooFast.description.contains("too many logins"))

        #expect(throws: OSCARWireError.missingTLV(tag: 5, message: "A login's reply")) {
            try LoginReply(tlvs: TLVBlock()).result()
        }
        #expect(throws: OSCARWireError.missingTLV(tag: 6, message: "A login's reply")) {
            try LoginReply(tlvs: TLVBlock([TLV(5, text: "h")])).result()
        }
    }

    @Test func theDigestsStyleIsTold() throws {
        func request(_ style: PasswordDigest) throws -> LoginRequest {
            LoginRequest(
                name: try ScreenName("bob"),
                digest: [UInt8](repeating: 1, count: 16),
                style: style,
                client: .init(name: "x"),
                sessions: .several
            )
        }
        #expect(try request(.hashed).tlvs.contains(0x4C))
        #expect(try !request(.plain).tlvs.contains(0x4C))
        #expect(try request(.plain).sessions() == 1)
    }

    @Test func aSignOffHasAReasonOfEitherWidthOrNone() throws {
        #expect(try SignOff(payload: bytes("0009 0001 01 000B 0004\"http\"")).reason == SignOff.kicked)
        #expect(try SignOff(payload: bytes("0009 0002 0001")).reason == SignOff.kicked)
        #expect(try SignOff(payload: []).reason == nil)
        #expect(try SignOff(payload: bytes("0009 0000")).reason == nil)
    }
}

import HostServices
import Testing

@Suite("Clock, chance and digests")
struct SmallServicesTests {
    private func digest(_ text: String, _ function: (UnsafeRawBufferPointer) -> [UInt8]) -> String {
        Digests.hexadecimal(Array(text.utf8).withUnsafeBytes(function))
    }

    /// The vectors of RFC 1321 §A.5 and RFC 3174 §7.3, and of FIPS 180-4's example.
    @Test("digests agree with the published examples")
    func digests() {
        #expect(digest("abc", Digests.md5) == "900150983cd24fb0d6963f7d28e17f72")
        #expect(digest("", Digests.md5) == "d41d8cd98f00b204e9800998ecf8427e")
        #expect(digest("abc", Digests.sha1) == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(
            digest("abc", Digests.sha256) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )
    }

    /// Test case 2 of RFC 2202 and of RFC 4231.
    @Test("authentication codes agree with the published examples")
    func codes() {
        let data = "what do ya want for nothing?"
        Array("Jefe".utf8).withUnsafeBytes { key in
            #expect(digest(data) { Digests.hmacSHA1(key: key, $0) } == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
            #expect(
                digest(data) { Digests.hmacSHA256(key: key, $0) }
                    == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            )
        }
    }

    @Test("random bytes fill every length, and differ")
    func random() throws {
        for count in [0, 1, 7, 8, 9, 1000] { #expect(try HostRandom.bytes(count).count == count) }
        #expect(try HostRandom.bytes(32) != HostRandom.bytes(32))
        // Each place of an odd length is filled: none is zero every time.
        var seen = [UInt8](repeating: 0, count: 13)
        for _ in 0..<100 { seen = zip(seen, try HostRandom.bytes(13)).map { $0 | $1 } }
        #expect(!seen.contains(0))
    }

    @Test("random bytes are given up to the limit")
    func randomLimit() throws {
        #expect(try HostRandom.bytes(65_536).count == 65_536)
        #expect(throws: ServiceError.limitReached(.randomBytes, limit: 65_536)) { try HostRandom.bytes(65_537) }
        #expect(throws: ServiceError.invalidArgument("-1 random bytes were asked for")) { try HostRandom.bytes(-1) }
    }

    @Test("the monotonic clock does not go back, and the wall clock is of this century")
    func clock() {
        let first = HostClock.monotonicNs()
        #expect(HostClock.monotonicNs() >= first)
        #expect(HostClock.wallMs() > 1_700_000_000_000)
    }
}

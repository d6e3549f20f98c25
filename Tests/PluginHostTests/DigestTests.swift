import CPlugboard
import PluginHost
import Testing

@Suite("The digests that plugins get", .timeLimit(.minutes(1)))
struct DigestTests {
    /// Runs `body` on the loop with the table of the extension.
    private func with(_ body: @escaping @Sendable (plugboard_digest_t, UnsafeMutableRawPointer?) throws -> Void)
        async throws
    {
        try await Bench.with { bench in
            try await bench.withStage { stage in
                try await stage.on { stage in
                    let found = try #require(stage.provider.call { $0.extension($1, PLUGBOARD_EXT_DIGEST) })
                    let table = found.assumingMemoryBound(to: plugboard_digest_t.self).pointee
                    #expect(table.struct_size == structSize(plugboard_digest_t.self))
                    try body(table, stage.provider.context)
                }
            }
        }
    }

    /// From RFC 1321 §A.5, RFC 3174 §7.3 and RFC 6234 §8.5.
    static let plain: [(UInt32, String, String)] = [
        (1, "", "d41d8cd98f00b204e9800998ecf8427e"),
        (1, "abc", "900150983cd24fb0d6963f7d28e17f72"),
        (1, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        (1, "abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
        (2, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (
            2, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
        ),
        (3, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            3, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ]

    /// From RFC 2202 §2 and §3, and RFC 4231 §4.
    static let keyed: [(UInt32, [UInt8], [UInt8], String)] = [
        (1, [UInt8](repeating: 0x0B, count: 16), Array("Hi There".utf8), "9294727a3638bb1c13f48ef8158bfc9d"),
        (1, Array("Jefe".utf8), Array("what do ya want for nothing?".utf8), "750c783e6ab0b503eaa86e310a5db738"),
        (
            1, [UInt8](repeating: 0xAA, count: 80),
            Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"
        ),
        (2, [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8), "b617318655057264e28bc0b6fb378c8ef146be00"),
        (2, Array("Jefe".utf8), Array("what do ya want for nothing?".utf8), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (
            2, [UInt8](repeating: 0xAA, count: 80),
            Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "aa4ae5e15272d00e95705637ce8a3b55ed402112"
        ),
        (
            3, [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            3, Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
    ]

    @Test("plain digests are those of the standards")
    func hashes() async throws {
        try await with { table, context in
            let arena = Arena()
            for (algorithm, text, expected) in Self.plain {
                var output = [UInt8](repeating: 0xEE, count: 32)
                let length = table.hash(context, algorithm, arena.text(text), &output)
                #expect(Self.hexadecimal(output.prefix(Int(length))) == expected)
                #expect(output.dropFirst(Int(length)).allSatisfy { $0 == 0xEE })
            }
            var output = [UInt8](repeating: 0, count: 32)
            let none = plugboard_bytes_t(start: nil, count: 0)
            #expect(table.hash(context, PLUGBOARD_DIGEST_MD5, none, &output) == 16)
            #expect(Self.hexadecimal(output.prefix(16)) == "d41d8cd98f00b204e9800998ecf8427e")
        }
    }

    @Test("keyed digests are those of the standards")
    func keyedHashes() async throws {
        try await with { table, context in
            let arena = Arena()
            for (algorithm, key, data, expected) in Self.keyed {
                var output = [UInt8](repeating: 0xEE, count: 32)
                let length = table.hmac(context, algorithm, arena.bytes(key), arena.bytes(data), &output)
                #expect(Self.hexadecimal(output.prefix(Int(length))) == expected)
                #expect(output.dropFirst(Int(length)).allSatisfy { $0 == 0xEE })
            }
        }
    }

    @Test("an unknown algorithm, and bytes or a place that are not there, are refused")
    func misuse() async throws {
        try await with { table, context in
            let text = Arena().text("")
            var output = [UInt8](repeating: 0xEE, count: 32)
            for algorithm in [0, 4, UInt32.max] {
                #expect(table.hash(context, algorithm, text, &output) == PLUGBOARD_E_INVALID)
                #expect(table.hmac(context, algorithm, text, text, &output) == PLUGBOARD_E_INVALID)
            }
            for algorithm in 1...3 as ClosedRange<UInt32> {
                #expect(table.hash(context, algorithm, .missing, &output) == PLUGBOARD_E_INVALID)
                #expect(table.hmac(context, algorithm, .missing, text, &output) == PLUGBOARD_E_INVALID)
                #expect(table.hmac(context, algorithm, text, .missing, &output) == PLUGBOARD_E_INVALID)
                #expect(table.hash(context, algorithm, text, nil) == PLUGBOARD_E_INVALID)
                #expect(table.hmac(context, algorithm, text, text, nil) == PLUGBOARD_E_INVALID)
            }
            #expect(output.allSatisfy { $0 == 0xEE })
        }
    }

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

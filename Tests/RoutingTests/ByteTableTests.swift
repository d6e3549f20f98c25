import Testing

@testable import Routing

@Suite("ByteTable")
struct ByteTableTests {
    /// The value of a key in a table.
    private func value(of key: String, scope: UInt32 = 0, in table: ByteTable) -> UInt32? {
        var key = key
        return key.withUTF8 { table.value(of: ByteTable.Key(UnsafeRawBufferPointer($0), scope: scope)) }
    }

    private func entry(_ key: String, _ value: Int, scope: UInt32 = 0) -> ByteTable.Entry {
        ByteTable.Entry(scope: scope, key: key, value: UInt32(value))
    }

    @Test("It finds what a dictionary finds, and nothing else", arguments: [0, 1, 3, 4, 5, 100, 5000])
    func againstDictionary(count: Int) {
        var generator = SystemRandomNumberGenerator()
        // Few letters and short keys: many are prefixes of others, and many occur twice.
        func randomKey() -> String {
            String(
                (0..<Int.random(in: 1...8, using: &generator)).map { _ in
                    "ab@.é".randomElement(using: &generator) ?? "a"
                }
            )
        }
        let entries = (0..<count).map { entry(randomKey(), $0) }
        let expected = Dictionary(entries.map { ($0.key, $0.value) }) { _, later in later }
        let table = ByteTable(entries)
        for entry in entries {
            #expect(value(of: entry.key, in: table) == expected[entry.key], "\(entry.key) of \(entries)")
        }
        for _ in 0..<1000 {
            let key = randomKey()
            #expect(value(of: key, in: table) == expected[key], "\(key) of \(entries)")
        }
    }

    @Test("An empty key is not there, also if it was put in")
    func emptyKey() {
        let table = ByteTable([entry("", 1), entry("a", 2)])
        #expect(value(of: "", in: table) == nil)
        #expect(value(of: "a", in: table) == 2)
        #expect(table.value(of: ByteTable.Key(UnsafeRawBufferPointer(start: nil, count: 0))) == nil)
    }

    @Test("Keys of every length are told apart from their prefixes")
    func prefixes() {
        let keys = (1...300).map { String(repeating: "x", count: $0) }
        let table = ByteTable(keys.enumerated().map { entry($0.element, $0.offset) })
        for (index, key) in keys.enumerated() { #expect(value(of: key, in: table) == UInt32(index)) }
        #expect(value(of: String(repeating: "x", count: 301), in: table) == nil)
    }

    @Test("Keys of one length are told apart by every byte, however long they are", arguments: 1...40)
    func everyByte(count: Int) {
        let base = [UInt8](repeating: UInt8(ascii: "m"), count: count)
        let keys = (0..<count).map { index in
            var bytes = base
            bytes[index] = UInt8(ascii: "n")
            return String(decoding: bytes, as: UTF8.self)
        }
        let table = ByteTable(keys.enumerated().map { entry($0.element, $0.offset) })
        for (index, key) in keys.enumerated() { #expect(value(of: key, in: table) == UInt32(index)) }
        #expect(value(of: String(decoding: base, as: UTF8.self), in: table) == nil)
    }

    @Test("The same key in two scopes is two keys, and in a third none")
    func scopes() {
        let long = String(repeating: "y", count: 100)
        let table = ByteTable([
            entry("x", 1, scope: 1), entry("x", 2, scope: 2), entry(long, 3, scope: 1), entry(long, 4, scope: 2),
        ])
        #expect([1, 2, 3].map { value(of: "x", scope: $0, in: table) } == [1, 2, nil])
        #expect([1, 2, 3].map { value(of: long, scope: $0, in: table) } == [3, 4, nil])
    }

    @Test("A table that is large enough for large pages finds all of its keys")
    func large() {
        let table = ByteTable((0..<200_000).map { entry("user\($0)", $0) })
        let missing = (0..<200_000).filter { value(of: "user\($0)", in: table) != UInt32($0) }
        #expect(missing.isEmpty)
        #expect(value(of: "user200000", in: table) == nil)
    }
}

import Testing

@testable import Routing

@Suite("ByteTable")
struct ByteTableTests {
    /// The value of a key in a table.
    private func value(of key: String, in table: ByteTable) -> Int? {
        var key = key
        return key.withUTF8 { table.value(of: UnsafeRawBufferPointer($0)) }
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
        let entries = (0..<count).map { (key: randomKey(), value: $0) }
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
        let table = ByteTable([("", 1), ("a", 2)])
        #expect(value(of: "", in: table) == nil)
        #expect(value(of: "a", in: table) == 2)
        #expect(table.value(of: UnsafeRawBufferPointer(start: nil, count: 0)) == nil)
    }

    @Test("Keys of every length are told apart from their prefixes")
    func prefixes() {
        let keys = (1...300).map { String(repeating: "x", count: $0) }
        let table = ByteTable(keys.enumerated().map { (key: $0.element, value: $0.offset) })
        for (index, key) in keys.enumerated() { #expect(value(of: key, in: table) == index) }
        #expect(value(of: String(repeating: "x", count: 301), in: table) == nil)
    }
}

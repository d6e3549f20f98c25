import NIOConcurrencyHelpers
import Testing

@testable import Vault

@Suite("Key-value store", .timeLimit(.minutes(1)))
struct KeyValueStoreTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func open(_ limits: StoreLimits = StoreLimits()) throws -> KeyValueStore {
        try KeyValueStore(path: "\(folder.path)/store.db", limits: limits)
    }

    private func put(_ key: String, _ value: String, _ condition: StoreCondition = .none) -> StoreOperation {
        .put(key: bytes(key), value: bytes(value), condition: condition)
    }

    @Test("what was put is there after a restart, for its name space alone, and gone once removed")
    func restart() throws {
        var store = try open()
        #expect(try store.performNow(put("k", "v"), in: "a") == .done)
        #expect(try store.performNow(put("empty", ""), in: "a") == .done)
        store.close()
        store = try open()
        #expect(try store.performNow(.get(key: bytes("k")), in: "a") == .value(bytes("v")))
        #expect(try store.performNow(.get(key: bytes("empty")), in: "a") == .value([]))
        #expect(try store.performNow(.get(key: bytes("k")), in: "b") == .value(nil))
        #expect(try store.performNow(.remove(key: bytes("k")), in: "a") == .done)
        #expect(try store.performNow(.remove(key: bytes("k")), in: "a") == .done)
        store.close()
        store = try open()
        #expect(try store.performNow(.get(key: bytes("k")), in: "a") == .value(nil))
        #expect(try folder.mode(of: "store.db") == 0o600)
        store.close()
    }

    @Test("a value is put only where its condition holds")
    func conditions() throws {
        let store = try open()
        #expect(try store.performNow(put("k", "1", .absent), in: "a") == .done)
        #expect(try store.performNow(put("k", "2", .absent), in: "a") == .conflict(bytes("1")))
        #expect(try store.performNow(put("k", "2", .equals(bytes("0"))), in: "a") == .conflict(bytes("1")))
        #expect(try store.performNow(put("k", "2", .equals(bytes("1"))), in: "a") == .done)
        #expect(try store.performNow(put("x", "2", .equals(bytes("1"))), in: "a") == .conflict(nil))
        #expect(try store.performNow(.get(key: bytes("k")), in: "a") == .value(bytes("2")))
    }

    @Test("a list has the keys of a prefix in order, page by page")
    func listing() throws {
        let store = try open()
        for key in ["b/2", "b/1", "a", "b", "c", "b/3"] { _ = try store.performNow(put(key, "x"), in: "a") }
        _ = try store.performNow(put("b/9", "x"), in: "other")
        _ = try store.performNow(.put(key: [0xFF], value: [], condition: .none), in: "a")
        _ = try store.performNow(.put(key: [0xFF, 0xFF], value: [], condition: .none), in: "a")
        func list(_ prefix: [UInt8], after: String = "", limit: Int = 10) throws -> [[UInt8]] {
            guard
                case .keys(let keys) = try store.performNow(
                    .list(prefix: prefix, after: bytes(after), limit: limit),
                    in: "a"
                )
            else { return [] }
            return keys
        }
        #expect(try list(bytes("b/")) == ["b/1", "b/2", "b/3"].map(bytes))
        #expect(try list(bytes("b/"), limit: 2) == ["b/1", "b/2"].map(bytes))
        #expect(try list(bytes("b/"), after: "b/2") == [bytes("b/3")])
        #expect(try list([0xFF]) == [[0xFF], [0xFF, 0xFF]])
        #expect(try list([]).count == 8)
        #expect(try list(bytes("z")).isEmpty)
    }

    @Test("keys, values and lists up to their limits are taken, longer ones are not")
    func sizes() throws {
        var limits = StoreLimits()
        limits.keyBytesMax = 3
        limits.valueBytesMax = 4
        limits.listMax = 2
        let store = try open(limits)
        #expect(try store.performNow(put("abc", "1234"), in: "a") == .done)
        #expect(throws: StoreError.badKey(bytes: 4, limit: 3)) { try store.performNow(put("abcd", ""), in: "a") }
        #expect(throws: StoreError.badKey(bytes: 0, limit: 3)) { try store.performNow(put("", ""), in: "a") }
        #expect(throws: StoreError.badKey(bytes: 4, limit: 3)) {
            try store.performNow(.get(key: bytes("abcd")), in: "a")
        }
        #expect(throws: StoreError.valueTooLarge(bytes: 5, limit: 4)) {
            try store.performNow(put("abc", "12345"), in: "a")
        }
        #expect(try store.performNow(.list(prefix: [], after: [], limit: 2), in: "a") == .keys([bytes("abc")]))
        for limit in [0, 3] {
            #expect(throws: StoreError.badListLimit(limit, limit: 2)) {
                try store.performNow(.list(prefix: [], after: [], limit: limit), in: "a")
            }
        }
    }

    @Test("a name space takes so many keys and bytes, and no more until some are gone")
    func totals() throws {
        var limits = StoreLimits()
        limits.entriesMax = 2
        limits.totalBytesMax = 10
        let store = try open(limits)
        _ = try store.performNow(put("a", "123"), in: "s")
        _ = try store.performNow(put("b", "123"), in: "s")
        #expect(throws: StoreError.tooManyEntries(limit: 2)) { try store.performNow(put("c", ""), in: "s") }
        #expect(try store.performNow(put("c", ""), in: "other") == .done)
        // 4 + 6 bytes; then one more.
        #expect(try store.performNow(put("b", "12345"), in: "s") == .done)
        #expect(throws: StoreError.tooManyBytes(limit: 10)) { try store.performNow(put("b", "123456"), in: "s") }
        _ = try store.performNow(.remove(key: bytes("a")), in: "s")
        #expect(try store.performNow(put("b", "123456789"), in: "s") == .done)
        store.close()
        // What a name space holds is known after a restart, too.
        let again = try open(limits)
        #expect(throws: StoreError.tooManyBytes(limit: 10)) { try again.performNow(put("c", ""), in: "s") }
    }

    @Test("what is asked for at once is answered in order, and what is wrong fails alone")
    func order() async throws {
        let store = try open()
        let answers = NIOLockedValueBox<[Int]>([])
        let failures = NIOLockedValueBox(0)
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            for index in 0..<1000 {
                let key = index == 500 ? [] : bytes("\(index % 7)")
                store.perform(.put(key: key, value: bytes("\(index)"), condition: .none), in: "a") { result in
                    answers.withLockedValue { $0.append(index) }
                    if case .failure = result { failures.withLockedValue { $0 += 1 } }
                    if index == 999 { continuation.resume() }
                }
            }
        }
        #expect(answers.withLockedValue { $0 } == Array(0..<1000))
        #expect(failures.withLockedValue { $0 } == 1)
        #expect(try store.performNow(.get(key: bytes("5")), in: "a") == .value(bytes("999")))
    }

    @Test("a file that is open already, or no database, is refused with its name")
    func refusals() throws {
        let store = try open()
        #expect(throws: StoreError.inUse(path: "\(folder.path)/store.db")) { try open() }
        store.close()
        #expect(throws: StoreError.closed(path: store.path)) { try store.performNow(.get(key: [1]), in: "a") }
        let path = try folder.write("bad.db", String(repeating: "no database", count: 100))
        do {
            _ = try KeyValueStore(path: path)
            Issue.record("a text was opened")
        } catch {
            guard case .corrupt(path, _) = error else {
                Issue.record("\(error)")
                return
            }
        }
    }
}

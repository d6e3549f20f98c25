internal import CPlugboard

/// The host's extensions, by their ids.
enum HostExtensions {
    /// The table of an extension; nil if there is none of this id.
    static func table(_ id: String) -> UnsafeRawPointer? {
        switch id {
        case PLUGBOARD_EXT_ACCOUNTS: UnsafeRawPointer(AccountsTable.table)
        case PLUGBOARD_EXT_COMMANDS: UnsafeRawPointer(CommandTable.table)
        case PLUGBOARD_EXT_DIGEST: UnsafeRawPointer(DigestTable.table)
        case PLUGBOARD_EXT_HTTP: UnsafeRawPointer(HTTPTable.table)
        case PLUGBOARD_EXT_STORE: UnsafeRawPointer(StoreTable.store)
        case PLUGBOARD_EXT_SECRETS: UnsafeRawPointer(StoreTable.secrets)
        case PLUGBOARD_EXT_UDP: UnsafeRawPointer(UDPTable.table)
        case PLUGBOARD_EXT_LOG: UnsafeRawPointer(LogTable.table)
        case PLUGBOARD_EXT_METRICS: UnsafeRawPointer(MetricsTable.table)
        default: nil
        }
    }

    /// Puts a table into memory that is never freed.
    static func immortal<Table>(_ table: Table) -> UnsafePointer<Table> {
        let copy = UnsafeMutablePointer<Table>.allocate(capacity: 1)
        copy.initialize(to: table)
        return UnsafePointer(copy)
    }

    /// A provider's own table of this id, if it has one that is long enough and has no gap.
    ///
    /// All tables begin with their size and 4 reserved bytes; function pointers follow.
    static func events<Table>(
        _ id: String,
        of provider: UnsafePointer<plugboard_provider_t>,
        _ pointer: UnsafeMutableRawPointer?,
        as type: Table.Type
    ) -> Table? {
        guard let found = provider.pointee.extension(pointer, id) else { return nil }
        let size = MemoryLayout<Table>.size
        guard found.load(as: UInt32.self) >= size else { return nil }
        let words = stride(from: 8, to: size, by: MemoryLayout<UInt>.size)
        guard words.allSatisfy({ found.load(fromByteOffset: $0, as: UInt.self) != 0 }) else { return nil }
        return found.load(as: Table.self)
    }
}

/// Structs that a plugin laid one after the other, each beginning with its own size.
///
/// - Returns: copies; nil if the pointer does not fit the count, there are more than `max`, or they are too short.
func abiElements<T>(_ start: UnsafePointer<T>?, _ count: Int, max: Int) -> [T]? {
    guard count != 0 else { return [] }
    guard let start, (1...max).contains(count) else { return nil }
    let first = UnsafeRawPointer(start)
    let size = first.load(as: UInt32.self)
    guard size >= MemoryLayout<T>.size, size.isMultiple(of: UInt32(MemoryLayout<T>.alignment)), size < 4096 else {
        return nil
    }
    return (0..<count).map { first.load(fromByteOffset: $0 * Int(size), as: T.self) }
}

/// Lends runs of bytes, in one block, for the duration of `body`.
func withByteRuns<R>(_ runs: [[UInt8]], _ body: ([plugboard_bytes_t]) -> R) -> R {
    let block = runs.flatMap(\.self)
    return block.withUnsafeBufferPointer { block in
        var start = 0
        let spans = runs.map { run in
            defer { start += run.count }
            return plugboard_bytes_t(start: block.baseAddress.map { $0 + start }, count: run.count)
        }
        return body(spans)
    }
}

import GRDB
import GRDBSQLite

/// A cached prepared statement, bound and stepped through SQLite's own functions.
///
/// GRDB's arguments would copy each blob twice and end a string at its first NUL byte; ids that peers choose may hold one.
/// Valid within one database access, on that access's thread. Parameters and columns count from 1 and 0, as SQLite's do.
struct PreparedSQL {
    private let statement: Statement
    private var handle: OpaquePointer { self.statement.sqliteStatement }

    /// Prepares `sql`, or takes it from the connection's cache.
    init(_ db: Database, _ sql: String) throws {
        self.statement = try db.cachedStatement(sql: sql)
        sqlite3_reset(self.statement.sqliteStatement)
    }

    // MARK: Binding

    func bind(_ value: Int64, at index: Int32) throws {
        try self.check(sqlite3_bind_int64(self.handle, index, value))
    }

    func bind(_ value: Int64?, at index: Int32) throws {
        guard let value else {
            try self.check(sqlite3_bind_null(self.handle, index))
            return
        }
        try self.bind(value, at: index)
    }

    func bind(_ value: Int, at index: Int32) throws {
        try self.bind(Int64(value), at: index)
    }

    func bind(_ value: String?, at index: Int32) throws {
        guard var value else {
            try self.check(sqlite3_bind_null(self.handle, index))
            return
        }
        let code = value.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) { characters in
                guard let start = characters.baseAddress else {
                    return sqlite3_bind_text(self.handle, index, "", 0, Self.copied)
                }
                return sqlite3_bind_text(self.handle, index, start, Int32(characters.count), Self.copied)
            }
        }
        try self.check(code)
    }

    /// Binds two words as a blob of 16 bytes, most significant first.
    func bind(_ high: UInt64, _ low: UInt64, at index: Int32) throws {
        let code = withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) {
            sqlite3_bind_blob(self.handle, index, $0.baseAddress, Int32($0.count), Self.copied)
        }
        try self.check(code)
    }

    /// Binds `bytes` without copying them, for as long as `body` runs.
    func withBlob<Result>(_ bytes: [UInt8], at index: Int32, _ body: () throws -> Result) throws -> Result {
        try bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, !bytes.isEmpty else {
                try self.check(sqlite3_bind_zeroblob(self.handle, index, 0))
                return try body()
            }
            // No destructor: SQLite reads the bytes where they are.
            try self.check(sqlite3_bind_blob(self.handle, index, start, Int32(bytes.count), nil))
            defer { sqlite3_bind_null(self.handle, index) }
            return try body()
        }
    }

    // MARK: Running

    /// Runs a statement that returns no rows.
    func run() throws {
        defer { sqlite3_reset(self.handle) }
        while try self.step() {}
    }

    /// Runs an insert of one row; false if a conflict kept it out.
    func insert() throws -> Bool {
        let before = sqlite3_total_changes64(sqlite3_db_handle(self.handle))
        try self.run()
        return sqlite3_total_changes64(sqlite3_db_handle(self.handle)) > before
    }

    /// Runs the statement and reads its first row, if it returns one.
    func first<Result>(_ read: (Columns) throws -> Result) throws -> Result? {
        defer { sqlite3_reset(self.handle) }
        return try self.step() ? read(Columns(handle: self.handle)) : nil
    }

    /// Runs the statement and reads all its rows.
    func all<Result>(_ read: (Columns) throws -> Result) throws -> [Result] {
        var results: [Result] = []
        try self.forEach { results.append(try read($0)) }
        return results
    }

    /// Runs the statement and hands over one row after the other.
    func forEach(_ body: (Columns) throws -> Void) throws {
        defer { sqlite3_reset(self.handle) }
        while try self.step() {
            try body(Columns(handle: self.handle))
        }
    }

    /// One step: true at a row, false at the end.
    private func step() throws -> Bool {
        switch sqlite3_step(self.handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw self.error(code)
        }
    }

    private func check(_ code: Int32) throws {
        guard code == SQLITE_OK else { throw self.error(code) }
    }

    private func error(_ code: Int32) -> DatabaseError {
        let message = sqlite3_errmsg(sqlite3_db_handle(self.handle)).map { String(cString: $0) }
        return DatabaseError(resultCode: ResultCode(rawValue: code), message: message)
    }

    /// SQLITE_TRANSIENT, a cast that Swift does not import: SQLite makes its own copy before the call returns.
    private static var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    // MARK: Reading

    /// The current row.
    struct Columns {
        fileprivate let handle: OpaquePointer

        func int64(_ index: Int32) -> Int64 {
            sqlite3_column_int64(self.handle, index)
        }

        func int(_ index: Int32) -> Int {
            Int(sqlite3_column_int64(self.handle, index))
        }

        func string(_ index: Int32) -> String {
            guard let start = sqlite3_column_text(self.handle, index) else { return "" }
            let count = Int(sqlite3_column_bytes(self.handle, index))
            return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
        }

        func isNull(_ index: Int32) -> Bool {
            sqlite3_column_type(self.handle, index) == SQLITE_NULL
        }

        func optionalString(_ index: Int32) -> String? {
            self.isNull(index) ? nil : self.string(index)
        }

        func bytes(_ index: Int32) -> [UInt8] {
            guard let start = sqlite3_column_blob(self.handle, index) else { return [] }
            return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(self.handle, index))))
        }
    }
}

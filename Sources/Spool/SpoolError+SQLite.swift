import GRDB

extension SpoolError {
    /// What an error thrown inside a database access means to us.
    init(_ error: any Error, path: String) {
        switch error {
        case let error as SpoolError:
            self = error
        case let error as DatabaseError:
            self.init(error, path: path)
        default:
            self = .unexpected(path: path, code: Int(DatabaseError.SQLITE_ERROR.rawValue), detail: "\(error)")
        }
    }

    /// Maps SQLite's result code to its cause.
    ///
    /// Source: https://www.sqlite.org/rescode.html
    private init(_ error: DatabaseError, path: String) {
        // Never the error's own description: it can hold a statement's values.
        let detail = error.message ?? "no message"
        switch error.resultCode {
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            self = .cannotOpen(path: path, reason: detail)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            self = .corrupt(path: path, detail: detail)
        case .SQLITE_FULL:
            self = .diskFull(path: path)
        case .SQLITE_READONLY:
            self = .readOnly(path: path)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self = .busy(path: path)
        case .SQLITE_IOERR:
            self = .ioFailure(path: path, detail: "\(detail), code \(error.extendedResultCode.rawValue)")
        case .SQLITE_MISUSE:
            // What GRDB throws on a connection that was closed; its statements are otherwise all our own.
            self = .closed(path: path)
        default:
            self = .unexpected(path: path, code: Int(error.extendedResultCode.rawValue), detail: detail)
        }
    }
}

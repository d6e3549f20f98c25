internal import GRDB

/// Why a store, or the vault, does not do what was asked.
///
/// None holds a value or a key of encryption.
package enum StoreError: Error, Hashable, Sendable {
    /// The file cannot be opened or made.
    case cannotOpen(path: String, reason: String)
    /// Another process has it open.
    case inUse(path: String)
    /// The file is damaged, or is none of ours.
    case corrupt(path: String, detail: String)
    case diskFull(path: String)
    case ioFailure(path: String, detail: String)
    /// It was closed.
    case closed(path: String)
    /// A key of no, or too many, bytes.
    case badKey(bytes: Int, limit: Int)
    case valueTooLarge(bytes: Int, limit: Int)
    /// The name space is full: so many keys.
    case tooManyEntries(limit: Int)
    /// The name space is full: so many bytes.
    case tooManyBytes(limit: Int)
    case badListLimit(Int, limit: Int)
    /// What is kept under this name was not sealed by us for this place: the file was tampered with, or is damaged.
    case unsealable(space: String, name: String)
    /// The vault was sealed with another key.
    case wrongKey(path: String, expected: String, given: String)
    /// The vault is there already.
    case alreadyThere(path: String)
    /// There is no vault yet.
    case noVault(path: String)
    /// What is to be the key is none; never says what it is.
    case badVaultKey(source: String, reason: String)
    /// The key file can be read by others.
    case exposedKeyFile(path: String, mode: UInt32)
    /// A key file cannot be read, written or renamed.
    case keyFile(path: String, reason: String)
}

extension StoreError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .cannotOpen(let path, let reason): "\(path) cannot be opened: \(reason); check the file and its folder"
        case .inUse(let path): "\(path) is in use by another process: stop the router first"
        case .corrupt(let path, let detail):
            "\(path) is damaged or not ours (\(detail)): move it away, or bring it back from a backup"
        case .diskFull(let path): "no room on the disk for \(path)"
        case .ioFailure(let path, let detail): "reading or writing \(path) failed: \(detail)"
        case .closed(let path): "\(path) is closed"
        case .badKey(let bytes, let limit): "a key has 1 to \(limit) bytes, not \(bytes)"
        case .valueTooLarge(let bytes, let limit): "a value has up to \(limit) bytes, not \(bytes)"
        case .tooManyEntries(let limit): "there are \(limit) keys already: remove some"
        case .tooManyBytes(let limit): "keys and values would pass \(limit) bytes: remove some"
        case .badListLimit(let asked, let limit): "a list has 1 to \(limit) keys, not \(asked)"
        case .unsealable(let space, let name):
            "the secret \"\(name)\" of \(space) was damaged or put there by somebody else: set it anew"
        case .wrongKey(let path, let expected, let given):
            "\(path) is sealed with the key \(expected), and vault.key is the key \(given): configure the right one"
        case .alreadyThere(let path): "\(path) is there already"
        case .noVault(let path): "there is no vault at \(path): run plugboard vault init"
        case .badVaultKey(let source, let reason):
            "\(source) holds no key: \(reason); plugboard vault init makes one"
        case .exposedKeyFile(let path, let mode):
            "other users can get at the key file \(path) (mode \(String(mode, radix: 8))): run: chmod 600 \(path)"
        case .keyFile(let path, let reason): "the key file \(path) cannot be used: \(reason)"
        }
    }
}

extension StoreError {
    /// What an error of the database means, without a statement's values.
    init(_ error: any Error, path: String) {
        switch error {
        case let error as StoreError: self = error
        case let error as DatabaseError:
            let detail = "\(error.message ?? "no message"), code \(error.extendedResultCode.rawValue)"
            switch error.resultCode {
            case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY: self = .cannotOpen(path: path, reason: detail)
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .corrupt(path: path, detail: detail)
            case .SQLITE_FULL: self = .diskFull(path: path)
            case .SQLITE_MISUSE: self = .closed(path: path)
            default: self = .ioFailure(path: path, detail: detail)
            }
        default: self = .ioFailure(path: path, detail: "\(type(of: error))")
        }
    }
}

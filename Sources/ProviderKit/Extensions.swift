internal import CPlugboard

/// What waits for answers of the host's extensions.
struct PendingAnswers {
    var http: [UInt64: PendingHTTP] = [:]
    var accounts = PendingAccounts()
    var sockets: [UInt64: (DatagramSocket, any DatagramReceiver)] = [:]
    /// By the extension's id: the store and the vault have handles of their own.
    var stores: [String: [UInt64: (plugboard_status_t, [StoreEntry]) -> Void]] = [:]
}

extension Host {
    /// The host's table of an extension; nil if it has none, or an older one that is shorter.
    func extensionTable<Table>(_ id: String, as type: Table.Type) -> Table? {
        guard let found = table.pointee.extension(context, id),
            found.load(as: UInt32.self) >= MemoryLayout<Table>.size
        else { return nil }
        return found.load(as: Table.self)
    }
}

extension InstanceBox {
    /// The tables through which the host's extensions answer, by their ids.
    static func events(_ id: String) -> UnsafeRawPointer? {
        switch id {
        case PLUGBOARD_EXT_ACCOUNTS: UnsafeRawPointer(accountsTable)
        case PLUGBOARD_EXT_HTTP: UnsafeRawPointer(httpTable)
        case PLUGBOARD_EXT_STORE: UnsafeRawPointer(storeTable)
        case PLUGBOARD_EXT_SECRETS: UnsafeRawPointer(secretsTable)
        case PLUGBOARD_EXT_UDP: UnsafeRawPointer(udpTable)
        default: nil
        }
    }

    /// Puts a table into memory that is never freed.
    static func immortal<Table>(_ table: Table) -> UnsafePointer<Table> {
        let copy = UnsafeMutablePointer<Table>.allocate(capacity: 1)
        copy.initialize(to: table)
        return UnsafePointer(copy)
    }

    /// The host of the instance that a call is for.
    static func hostOf(_ pointer: UnsafeMutableRawPointer?) -> Host {
        guard let pointer else { preconditionFailure("the host called an instance without its self") }
        return Unmanaged<InstanceBox>.fromOpaque(pointer).takeUnretainedValue().host
    }
}

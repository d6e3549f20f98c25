internal import CPlugboard
internal import Crypto

/// The extensions that simulated hosts have, by their versioned ids.
///
/// To add one: its table here, made of functions that find the instance with ``HostTable/enter(_:_:_:)``, and a line in
/// ``tables``.
enum HostExtensions {
    /// Safe to share: immortal, and never written after this initialiser.
    private nonisolated(unsafe) static let tables: [String: UnsafeRawPointer] = [
        PLUGBOARD_EXT_ACCOUNTS: immortal(SimulatedAccounts.table),
        PLUGBOARD_EXT_DIGEST: immortal(digests),
        PLUGBOARD_EXT_HTTP: immortal(SimulatedHTTP.table),
        PLUGBOARD_EXT_LOG: immortal(log),
        PLUGBOARD_EXT_METRICS: immortal(SimulatedMetrics.table),
        PLUGBOARD_EXT_UDP: immortal(SimulatedUDP.table),
        PLUGBOARD_EXT_STORE: immortal(SimulatedStore.plain),
        PLUGBOARD_EXT_SECRETS: immortal(SimulatedStore.secret),
    ]

    /// The table of an extension; nil for one that there is not.
    static func table(_ id: String) -> UnsafeRawPointer? { tables[id] }

    private static func immortal<T>(_ table: T) -> UnsafeRawPointer {
        let pointer = UnsafeMutablePointer<T>.allocate(capacity: 1)
        pointer.initialize(to: table)
        return UnsafeRawPointer(pointer)
    }

    /// The fields go into the line's text.
    private static var log: plugboard_log_t {
        plugboard_log_t(
            struct_size: structSize(plugboard_log_t.self),
            reserved: 0,
            write: { context, level, message, fields, count in
                // Where it may not be called, that is noted, and the answer is the same.
                let instance = HostTable.enter(context, "log.write", .anyThread)
                guard message.isWellFormed, let given = elements(fields, count, max: Int(PLUGBOARD_LOG_FIELDS_MAX)),
                    given.allSatisfy({ $0.name.isWellFormed && $0.value.isWellFormed })
                else { return PLUGBOARD_E_INVALID }
                let rest = given.map { "\($0.name.text)=\($0.value.text)" }.joined(separator: " ")
                // A line from another thread would come at no certain moment.
                if let instance, instance.simulation.isOwnThread {
                    instance.log(level, rest.isEmpty ? message.text : "\(message.text) (\(rest))")
                }
                return PLUGBOARD_OK
            }
        )
    }

    /// A provider's own table, found by its id, if it is long enough and has no gap.
    ///
    /// All tables begin with their size and 4 reserved bytes; function pointers follow.
    static func events<Table>(_ found: UnsafeRawPointer?, as type: Table.Type) -> Table? {
        let size = MemoryLayout<Table>.size
        guard let found, found.load(as: UInt32.self) >= size else { return nil }
        let words = stride(from: 8, to: size, by: MemoryLayout<UInt>.size)
        guard words.allSatisfy({ found.load(fromByteOffset: $0, as: UInt.self) != 0 }) else { return nil }
        return found.load(as: Table.self)
    }

    private static var digests: plugboard_digest_t {
        plugboard_digest_t(
            struct_size: structSize(plugboard_digest_t.self),
            reserved: 0,
            hash: { _, algorithm, data, output in
                guard data.isWellFormed, let output else { return PLUGBOARD_E_INVALID }
                switch algorithm {
                case PLUGBOARD_DIGEST_MD5: return HostExtensions.hash(Insecure.MD5.self, data, output)
                case PLUGBOARD_DIGEST_SHA1: return HostExtensions.hash(Insecure.SHA1.self, data, output)
                case PLUGBOARD_DIGEST_SHA256: return HostExtensions.hash(SHA256.self, data, output)
                default: return PLUGBOARD_E_INVALID
                }
            },
            hmac: { _, algorithm, key, data, output in
                guard key.isWellFormed, data.isWellFormed, let output else { return PLUGBOARD_E_INVALID }
                switch algorithm {
                case PLUGBOARD_DIGEST_MD5: return HostExtensions.hmac(Insecure.MD5.self, key, data, output)
                case PLUGBOARD_DIGEST_SHA1: return HostExtensions.hmac(Insecure.SHA1.self, key, data, output)
                case PLUGBOARD_DIGEST_SHA256: return HostExtensions.hmac(SHA256.self, key, data, output)
                default: return PLUGBOARD_E_INVALID
                }
            }
        )
    }

    private static func hash<H: HashFunction>(
        _: H.Type,
        _ data: plugboard_bytes_t,
        _ output: UnsafeMutablePointer<UInt8>
    ) -> plugboard_status_t {
        var hasher = H()
        hasher.update(bufferPointer: data.bytes)
        return write(hasher.finalize(), output)
    }

    private static func hmac<H: HashFunction>(
        _: H.Type,
        _ key: plugboard_bytes_t,
        _ data: plugboard_bytes_t,
        _ output: UnsafeMutablePointer<UInt8>
    ) -> plugboard_status_t {
        var code = HMAC<H>(key: SymmetricKey(data: key.bytes))
        code.update(data: data.bytes)
        return write(code.finalize(), output)
    }

    private static func write(
        _ digest: some Sequence<UInt8>,
        _ output: UnsafeMutablePointer<UInt8>
    ) -> plugboard_status_t {
        var count: plugboard_status_t = 0
        for byte in digest {
            output[Int(count)] = byte
            count += 1
        }
        return count
    }
}

import CPlugboard
import PluginHost

/// A plugin without a kit: it sees the host table as a plugin in C would, remembers what it is called for, and does
/// what a test tells it to.
// Safe: used on its worker's loop alone.
final class RawProvider: @unchecked Sendable {
    /// One line a call: `received 3 hello`.
    private(set) var events: [String] = []
    private(set) var host: UnsafePointer<plugboard_host_t>?
    /// The host's context, as create() saw it.
    private(set) var context: UnsafeMutableRawPointer?

    /// What create() returns.
    var table = RawProvider.providerTable()
    var onCreate: () -> Bool = { true }
    var onStart: () -> plugboard_status_t = { PLUGBOARD_OK }
    var onStop: () -> Void = {}
    var onDeliver: (Int) -> Int = { $0 }
    var onAccepted: (UInt64) -> UInt32 = { _ in 1 }
    var onOpened: (UInt64) -> Void = { _ in }
    var onReceived: (UInt64, [UInt8]) -> Int = { $1.count }
    var onClosed: (UInt64) -> Void = { _ in }
    var extensionTable: UnsafeRawPointer?
    /// Tables of answers to the host's extensions, by their ids.
    var extensions: [String: UnsafeRawPointer] = [:]
    /// The account that was linked last.
    var lastAccount: UInt64 = 0

    /// The streams that were accepted, and those that were opened, in order.
    private(set) var accepted: [UInt64] = []
    private(set) var opened: [UInt64] = []
    private var tables: [UnsafeMutablePointer<plugboard_provider_t>] = []
    private var waiting: [() -> Bool] = []
    private let arena = Arena()

    deinit { for table in tables { table.deallocate() } }

    /// The plugin, which lives as long as this.
    func plugin() throws(PluginRefusal) -> Plugin {
        var descriptor = plugboard_descriptor_t()
        descriptor.struct_size = structSize(plugboard_descriptor_t.self)
        let name = arena.cString("org.example.raw")
        (descriptor.id, descriptor.name, descriptor.version, descriptor.vendor) = (name, name, name, name)
        var plugin = plugboard_plugin_t()
        plugin.struct_size = structSize(plugboard_plugin_t.self)
        plugin.abi_version = PLUGBOARD_ABI_VERSION
        plugin.context = Unmanaged.passUnretained(self).toOpaque()
        plugin.descriptor = UnsafePointer(arena.put(descriptor))
        plugin.check = { _, _ in }
        plugin.create = { RawProvider.from($0).create($1, $2, $3) }
        return try Plugin(path: "libraw.so", table: arena.put(plugin))
    }

    /// Puts something into memory that lives as long as this.
    func put<T>(_ value: T) -> UnsafeRawPointer { UnsafeRawPointer(arena.put(value)) }

    static func from(_ pointer: UnsafeMutableRawPointer?) -> RawProvider {
        guard let pointer else { preconditionFailure("the host passes the plugin's pointers back") }
        return Unmanaged<RawProvider>.fromOpaque(pointer).takeUnretainedValue()
    }

    private func create(
        _ host: UnsafePointer<plugboard_host_t>?,
        _ instance: UnsafePointer<plugboard_instance_t>?,
        _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> UnsafePointer<plugboard_provider_t>? {
        self.host = host
        context = host?.pointee.context
        heard("create")
        guard onCreate() else { return nil }
        result?.pointee = Unmanaged.passUnretained(self).toOpaque()
        let copy = UnsafeMutablePointer<plugboard_provider_t>.allocate(capacity: 1)
        copy.initialize(to: table)
        tables.append(copy)
        return UnsafePointer(copy)
    }

    /// Calls `done` once `condition` holds: now, or after an event.
    func when(_ condition: @escaping (RawProvider) -> Bool, _ done: @escaping () -> Void) {
        guard !condition(self) else { return done() }
        waiting.append { [unowned self] in
            guard condition(self) else { return false }
            done()
            return true
        }
    }

    /// Notes a call; tests of the host's own sinks use it too.
    func heard(_ event: String) {
        events.append(event)
        waiting.removeAll { $0() }
    }

    func noteAccepted(_ stream: UInt64) { accepted.append(stream) }
    func noteOpened(_ stream: UInt64) { opened.append(stream) }

    /// How often a call was made.
    func count(_ prefix: String) -> Int { events.count { $0.hasPrefix(prefix) } }
}

extension RawProvider {
    /// A complete provider table.
    static func providerTable() -> plugboard_provider_t {
        var table = plugboard_provider_t()
        table.struct_size = structSize(plugboard_provider_t.self)
        addLife(&table)
        addStreams(&table)
        table.submitted = { instance, results, count in
            for index in 0..<count {
                guard let result = results?[index] else { continue }
                RawProvider.from(instance).heard("submitted \(result.cookie) \(result.outcome.pointee.result)")
            }
        }
        table.resolved = { instance, query, user, status, records, count in
            let answers = (0..<count).compactMap { index in
                records.map { "\($0[index].value.string) \($0[index].port)" }
            }
            RawProvider.from(instance).heard("resolved \(Int(bitPattern: user)) \(status) \(answers)")
        }
        table.fired = { RawProvider.from($0).heard("fired \($1) \(Int(bitPattern: $2))") }
        table.extension = { instance, id in
            guard let id else { return nil }
            let (provider, name) = (RawProvider.from(instance), String(cString: id))
            return name == PLUGBOARD_EXT_STATUS ? provider.extensionTable : provider.extensions[name]
        }
        return table
    }

    private static func addLife(_ table: inout plugboard_provider_t) {
        table.start = { instance in
            RawProvider.from(instance).heard("start")
            return RawProvider.from(instance).onStart()
        }
        table.drain = { RawProvider.from($0).heard("drain") }
        table.stop = { instance in
            RawProvider.from(instance).heard("stop")
            RawProvider.from(instance).onStop()
        }
        table.destroy = { RawProvider.from($0).heard("destroy") }
        table.deliver = { instance, _, count in
            RawProvider.from(instance).heard("deliver \(count)")
            return RawProvider.from(instance).onDeliver(count)
        }
        table.room = { RawProvider.from($0).heard("room") }
    }

    private static func addStreams(_ table: inout plugboard_provider_t) {
        table.accepted = { instance, stream, listenerUser, user in
            let provider = RawProvider.from(instance)
            provider.noteAccepted(stream)
            user?.pointee = UnsafeMutableRawPointer(bitPattern: 0x2000)
            provider.heard("accepted \(Int(bitPattern: listenerUser))")
            return provider.onAccepted(stream)
        }
        table.opened = { instance, stream, user, tls in
            RawProvider.from(instance).noteOpened(stream)
            RawProvider.from(instance).heard("opened \(Int(bitPattern: user)) \(tls == nil ? "plain" : "TLS")")
            RawProvider.from(instance).onOpened(stream)
        }
        table.received = { instance, stream, user, bytes, count in
            let copy = Array(UnsafeBufferPointer(start: bytes, count: count))
            let text = String(decoding: copy, as: UTF8.self)
            RawProvider.from(instance).heard("received \(Int(bitPattern: user)) \(text)")
            return RawProvider.from(instance).onReceived(stream, copy)
        }
        table.writable = { instance, _, _ in RawProvider.from(instance).heard("writable") }
        table.closed = { instance, stream, user, reason in
            let cause = reason?.pointee.cause ?? 0
            RawProvider.from(instance).heard("closed \(Int(bitPattern: user)) \(cause)")
            RawProvider.from(instance).onClosed(stream)
        }
    }
}

import CPlugboard
import ProviderTestKit

/// A plugin on the bare ABI, as one in C would be, that does what a test tells it to.
final class RawPlugin {
    var onStart: (RawPlugin) -> plugboard_status_t = { _ in PLUGBOARD_OK }
    var onDeliver: (RawPlugin, [UInt64]) -> Int = { $1.count }
    var onReceived: (RawPlugin, UInt64, Int) -> Int = { $2 }
    var onAccepted: (RawPlugin, UInt64) -> Void = { _, _ in }
    var onOpened: (RawPlugin, UInt64, plugboard_tls_info_t?) -> Void = { _, _, _ in }
    var onWritable: (RawPlugin, UInt64) -> Void = { _, _ in }
    var onFired: (RawPlugin, UInt64) -> Void = { _, _ in }
    /// What the host called, such as `opened 4294967297`.
    var calls: [String] = []
    var causes: [UInt32] = []
    private(set) var host: UnsafePointer<plugboard_host_t>?
    private let table = UnsafeMutablePointer<plugboard_provider_t>.allocate(capacity: 1)
    private let plugin = UnsafeMutablePointer<plugboard_plugin_t>.allocate(capacity: 1)
    private let descriptor = UnsafeMutablePointer<plugboard_descriptor_t>.allocate(capacity: 1)

    init() {
        table.initialize(to: Self.provider)
        descriptor.initialize(to: plugboard_descriptor_t())
        plugin.initialize(to: plugboard_plugin_t())
        plugin.pointee.struct_size = UInt32(MemoryLayout<plugboard_plugin_t>.size)
        plugin.pointee.abi_version = PLUGBOARD_ABI_VERSION
        plugin.pointee.context = Unmanaged.passUnretained(self).toOpaque()
        plugin.pointee.descriptor = UnsafePointer(descriptor)
        plugin.pointee.check = { _, _ in }
        plugin.pointee.create = { context, host, _, result in
            let raw = RawPlugin.from(context)
            raw.host = host
            result?.pointee = context
            return UnsafePointer(raw.table)
        }
    }

    deinit {
        table.deallocate()
        plugin.deallocate()
        descriptor.deallocate()
    }

    /// Leaves a gap in the table.
    func forgetWritable() { table.pointee.writable = nil }

    func tested() throws -> TestedPlugin { try TestedPlugin(entry: { _ in UnsafePointer(plugin) }) }

    static func from(_ pointer: UnsafeMutableRawPointer?) -> RawPlugin {
        guard let pointer else { preconditionFailure("the host passes back what it was given") }
        return Unmanaged<RawPlugin>.fromOpaque(pointer).takeUnretainedValue()
    }

    private static var provider: plugboard_provider_t {
        var table = plugboard_provider_t()
        table.struct_size = UInt32(MemoryLayout<plugboard_provider_t>.size)
        table.start = { RawPlugin.from($0).onStart(.from($0)) }
        table.drain = { RawPlugin.from($0).calls.append("drain") }
        table.stop = { RawPlugin.from($0).calls.append("stop") }
        table.destroy = { RawPlugin.from($0).calls.append("destroy") }
        table.deliver = { pointer, envelopes, count in
            let tokens = UnsafeBufferPointer(start: envelopes, count: count).map { $0?.pointee.token ?? 0 }
            return RawPlugin.from(pointer).onDeliver(.from(pointer), tokens)
        }
        table.submitted = { pointer, _, count in RawPlugin.from(pointer).calls.append("submitted \(count)") }
        table.room = { RawPlugin.from($0).calls.append("room") }
        table.accepted = { pointer, stream, _, _ in
            RawPlugin.from(pointer).calls.append("accepted")
            RawPlugin.from(pointer).onAccepted(.from(pointer), stream)
            return 1
        }
        table.opened = { pointer, stream, _, tls in
            RawPlugin.from(pointer).calls.append(tls == nil ? "opened" : "opened with TLS")
            RawPlugin.from(pointer).onOpened(.from(pointer), stream, tls?.pointee)
        }
        table.received = { pointer, stream, _, _, count in
            RawPlugin.from(pointer).onReceived(.from(pointer), stream, count)
        }
        table.writable = { pointer, stream, _ in
            RawPlugin.from(pointer).calls.append("writable")
            RawPlugin.from(pointer).onWritable(.from(pointer), stream)
        }
        table.closed = { pointer, _, _, reason in
            RawPlugin.from(pointer).calls.append("closed")
            RawPlugin.from(pointer).causes.append(reason?.pointee.cause ?? 0)
        }
        table.resolved = { pointer, _, _, status, _, count in
            RawPlugin.from(pointer).calls.append("resolved \(status) \(count)")
        }
        table.fired = { pointer, timer, _ in
            RawPlugin.from(pointer).calls.append("fired")
            RawPlugin.from(pointer).onFired(.from(pointer), timer)
        }
        table.extension = { _, _ in nil }
        return table
    }

    // MARK: Calls of the host

    func connect(_ name: String, port: UInt16 = 7000, timeoutMs: UInt32 = 0) -> UInt64 {
        var options = plugboard_connect_options_t()
        options.struct_size = UInt32(MemoryLayout<plugboard_connect_options_t>.size)
        options.port = port
        options.timeout_ms = timeoutMs
        var stream: UInt64 = 0
        var name = name
        name.withUTF8 { bytes in
            options.host = plugboard_bytes_t(start: bytes.baseAddress, count: bytes.count)
            _ = host?.pointee.connect(host?.pointee.context, &options, nil, &stream)
        }
        return stream
    }

    func listen(port: UInt16) {
        var options = plugboard_listen_options_t()
        options.struct_size = UInt32(MemoryLayout<plugboard_listen_options_t>.size)
        options.port = port
        var listener: UInt64 = 0
        _ = host?.pointee.listen(host?.pointee.context, &options, nil, &listener, nil)
    }

    func write(_ stream: UInt64, count: Int) -> plugboard_status_t {
        [UInt8](repeating: 0x2E, count: count).withUnsafeBufferPointer { bytes in
            let span = plugboard_bytes_t(start: bytes.baseAddress, count: bytes.count)
            return host?.pointee.write(host?.pointee.context, stream, span) ?? PLUGBOARD_E_INVALID
        }
    }

    func startTLS(_ stream: UInt64) -> plugboard_status_t {
        var options = plugboard_tls_options_t()
        options.struct_size = UInt32(MemoryLayout<plugboard_tls_options_t>.size)
        options.verification = PLUGBOARD_TLS_VERIFY_RECORD
        return host?.pointee.start_tls(host?.pointee.context, stream, &options) ?? PLUGBOARD_E_INVALID
    }

    func complete(_ token: UInt64) -> plugboard_status_t {
        var outcome = plugboard_outcome_t()
        outcome.struct_size = UInt32(MemoryLayout<plugboard_outcome_t>.size)
        outcome.result = PLUGBOARD_DELIVERED
        return host?.pointee.complete(host?.pointee.context, token, &outcome) ?? PLUGBOARD_E_INVALID
    }

    func startTimer(_ ms: UInt64) -> plugboard_status_t {
        var timer: UInt64 = 0
        return host?.pointee.start_timer(host?.pointee.context, ms, nil, &timer) ?? PLUGBOARD_E_INVALID
    }
}

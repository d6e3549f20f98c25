public import CPlugboard
internal import Glibc
public import ProviderKit

/// A plugin under test, however it comes: a Swift type, an entry function, or a shared object.
public struct TestedPlugin {
    let table: UnsafePointer<plugboard_plugin_t>
    /// Made by this program's own ProviderKit, so that its objects can be watched.
    let isOwn: Bool
    /// Takes a weak reference to each provider that is made.
    let made: MadeProviders

    /// Holds the providers of one plugin weakly.
    final class MadeProviders {
        weak var last: (any Provider)?
    }

    /// A provider that is linked into the tests.
    ///
    /// Its objects are watched, too: none may outlive its instance.
    public init<P: Provider>(_ type: P.Type) {
        let made = MadeProviders()
        let table = Entry.plugin(type) { host, instance throws(ProviderError) in
            let provider = try P(host: host, instance: instance)
            made.last = provider
            return provider
        }
        guard let table else { preconditionFailure("ProviderKit makes a table for every provider") }
        self.table = table
        self.isOwn = true
        self.made = made
    }

    /// A plugin by its entry function.
    ///
    /// - Throws: ``InstanceRefusal`` if the entry declines or its version does not fit.
    public init(entry: (UInt32) -> UnsafePointer<plugboard_plugin_t>?) throws(InstanceRefusal) {
        guard let table = entry(PLUGBOARD_ABI_VERSION) else { throw .init("the entry function returned NULL") }
        guard table.pointee.abi_version >> 16 == PLUGBOARD_ABI_VERSION >> 16 else {
            throw .init("the plugin was built for ABI \(table.pointee.abi_version >> 16), this kit is for 1")
        }
        guard table.pointee.struct_size >= MemoryLayout<plugboard_plugin_t>.size, table.pointee.check != nil,
            table.pointee.create != nil, table.pointee.descriptor != nil
        else { throw .init("the plugin's table is too short, or lacks check, create or descriptor") }
        self.table = table
        self.isOwn = false
        self.made = MadeProviders()
    }

    /// A plugin in a shared object, which stays loaded.
    ///
    /// - Throws: ``InstanceRefusal``, with what the dynamic linker says.
    public init(path: String) throws(InstanceRefusal) {
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
            throw .init("\(path) cannot be loaded: \(dlerror().map { String(cString: $0) } ?? "no reason given")")
        }
        guard let symbol = dlsym(handle, PLUGBOARD_ENTRY_SYMBOL) else {
            throw .init("\(path) does not export \(PLUGBOARD_ENTRY_SYMBOL)")
        }
        typealias EntryFunction = @convention(c) (UInt32) -> UnsafePointer<plugboard_plugin_t>?
        let entry = unsafeBitCast(symbol, to: EntryFunction.self)
        try self.init(entry: { entry($0) })
    }

    /// The plugin's id, such as `org.example.hello`.
    public var id: String { String(cString: table.pointee.descriptor.pointee.id) }

    /// The schema of its settings.
    var settings: [plugboard_setting_schema_t] {
        let descriptor = table.pointee.descriptor.pointee
        guard descriptor.setting_count > 0, let first = descriptor.settings else { return [] }
        let stride = max(Int(first.pointee.struct_size), MemoryLayout<plugboard_setting_schema_t>.stride)
        return (0..<descriptor.setting_count).map {
            UnsafeRawPointer(first).load(fromByteOffset: $0 * stride, as: plugboard_setting_schema_t.self)
        }
    }
}

/// Why there is no running instance.
public struct InstanceRefusal: Error, Sendable, CustomStringConvertible {
    /// What the plugin, or the kit, says.
    public let sentences: [String]

    init(_ sentences: String...) {
        self.sentences = sentences
    }

    init(_ sentences: [String]) {
        self.sentences = sentences
    }

    /// All of it in one line.
    public var description: String { sentences.joined(separator: "; ") }
}

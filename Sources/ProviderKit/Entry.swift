public import CPlugboard

/// The glue between a ``Provider`` and the plugin ABI. A plugin's entry is this one function:
///
///     @c(plugboard_plugin_entry)
///     public func entry(_ hostABI: UInt32) -> UnsafePointer<plugboard_plugin_t>? { Entry.plugin(MyProvider.self) }
public enum Entry {
    /// How a provider is made.
    public typealias Make = (Host, InstanceInfo) throws(ProviderError) -> any Provider

    /// The plugin's table, which lives for ever.
    ///
    /// The host asks for it once.
    public static func plugin<P: Provider>(_ type: P.Type) -> UnsafePointer<plugboard_plugin_t>? {
        plugin(type) { host, instance throws(ProviderError) in try P(host: host, instance: instance) }
    }

    /// The same, for a provider that is linked into its host and needs more than a plugin is told.
    public static func plugin(_ type: any Provider.Type, make: @escaping Make) -> UnsafePointer<plugboard_plugin_t>? {
        let maker = Maker(type, make)
        let plugin = UnsafeMutablePointer<plugboard_plugin_t>.allocate(capacity: 1)
        plugin.initialize(
            to: plugboard_plugin_t(
                struct_size: structSize(plugboard_plugin_t.self),
                abi_version: PLUGBOARD_ABI_VERSION,
                context: Unmanaged.passRetained(maker).toOpaque(),
                descriptor: type.descriptor.immortalABI(),
                check: { context, instance in
                    guard let maker = Maker.from(context), let instance else { return }
                    maker.check(instance.pointee)
                },
                create: { context, host, instance, result in
                    guard let maker = Maker.from(context), let host, let instance, let result else { return nil }
                    guard let box = maker.create(host, instance.pointee) else { return nil }
                    result.pointee = Unmanaged.passRetained(box).toOpaque()
                    return maker.table
                }
            )
        )
        return UnsafePointer(plugin)
    }
}

/// Makes instances of one provider type; the plugin table's context.
private final class Maker {
    private let type: any Provider.Type
    private let make: Entry.Make
    let table: UnsafePointer<plugboard_provider_t>

    init(_ type: any Provider.Type, _ make: @escaping Entry.Make) {
        self.type = type
        self.make = make
        let table = UnsafeMutablePointer<plugboard_provider_t>.allocate(capacity: 1)
        table.initialize(to: InstanceBox.table)
        self.table = UnsafePointer(table)
    }

    static func from(_ context: UnsafeMutableRawPointer?) -> Maker? {
        context.map { Unmanaged<Maker>.fromOpaque($0).takeUnretainedValue() }
    }

    func check(_ instance: plugboard_instance_t) {
        var problems = Problems()
        type.check(InstanceInfo(instance), problems: &problems)
        problems.report(to: instance.problems)
    }

    func create(_ host: UnsafePointer<plugboard_host_t>, _ instance: plugboard_instance_t) -> InstanceBox? {
        let host = Host(host)
        do {
            return InstanceBox(host: host, provider: try make(host, InstanceInfo(instance)))
        } catch {
            var problems = Problems()
            problems.error(error.setting, error.sentence)
            problems.report(to: instance.problems)
            return nil
        }
    }
}

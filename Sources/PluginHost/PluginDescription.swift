internal import CPlugboard

/// What a plugin says of itself, copied out of its descriptor and checked.
package struct PluginDescription: Hashable, Sendable {
    /// One thing its network can do.
    package struct Capability: Hashable, Sendable {
        package var name: String
        package var isFull: Bool
        package var limit: UInt64
    }

    /// One setting of its schema.
    package struct Setting: Hashable, Sendable {
        package var path: String
        package var type: UInt32
        package var isRequired: Bool
        package var standard: String?
        package var choices: [String]
        package var help: String
        package var minimum: Int64
        package var maximum: Int64
    }

    package var id: String
    package var name: String
    package var version: String
    package var vendor: String
    package var capabilities: [Capability]
    package var settings: [Setting]
    /// What operators can call, in the order of the descriptor.
    package var commands: [PluginCommand]
    /// What they cannot, for it is declared wrongly.
    package var commandRefusals: [CommandRefusal]

    /// The most entries of any list in a descriptor.
    package static let entriesMax = 1024
    /// The most bytes of any text in a descriptor.
    package static let textBytesMax = 4096

    /// Copies a descriptor.
    ///
    /// - Throws: ``PluginRefusal/malformed(path:what:)``.
    init(_ source: UnsafePointer<plugboard_descriptor_t>?, path: String) throws(PluginRefusal) {
        let reader = DescriptorReader(path: path)
        guard let source else { throw reader.malformed("it has no descriptor") }
        try reader.check(source.pointee.struct_size, atLeast: ABISize.descriptor, "descriptor")
        let descriptor = readABI(source)
        id = try reader.text(descriptor.id, "id")
        name = try reader.text(descriptor.name, "name")
        version = try reader.text(descriptor.version, "version")
        vendor = try reader.text(descriptor.vendor, "vendor")
        guard !id.isEmpty, id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw reader.malformed("its id is empty or not plain ASCII")
        }
        capabilities = []
        let capabilityList = try reader.list(
            descriptor.capabilities,
            descriptor.capability_count,
            ABISize.capability,
            "capabilities"
        )
        for entry in capabilityList {
            try reader.check(entry.struct_size, atLeast: ABISize.capability, "capability")
            let name = try reader.text(entry.name, "capability name")
            let isFull = entry.level == PLUGBOARD_LEVEL_FULL
            capabilities.append(Capability(name: name, isFull: isFull, limit: entry.limit))
        }
        settings = []
        let settingList = try reader.list(
            descriptor.settings,
            descriptor.setting_count,
            ABISize.settingSchema,
            "settings"
        )
        for entry in settingList {
            try reader.check(entry.struct_size, atLeast: ABISize.settingSchema, "setting")
            settings.append(try Setting(entry, reader))
        }
        let list = CommandList(descriptor, reader)
        commands = list.commands
        commandRefusals = list.refusals
    }
}

extension PluginDescription.Setting {
    fileprivate init(_ source: plugboard_setting_schema_t, _ reader: DescriptorReader) throws(PluginRefusal) {
        path = try reader.text(source.path, "setting path")
        guard (PLUGBOARD_SETTING_STRING...PLUGBOARD_SETTING_SECRET).contains(source.type) else {
            throw reader.malformed("its setting \(path) has the unknown type \(source.type)")
        }
        type = source.type
        isRequired = source.flags & PLUGBOARD_SETTING_REQUIRED != 0
        standard = try source.standard.map { pointer throws(PluginRefusal) in try reader.text(pointer, "default") }
        let list = try source.choices.map { pointer throws(PluginRefusal) in try reader.text(pointer, "choices") }
        choices = list?.split(separator: "|").map(String.init) ?? []
        help = try reader.text(source.help, "setting help")
        minimum = source.minimum
        maximum = source.maximum
    }
}

/// Reads a descriptor's parts with limits, naming the file in every complaint.
struct DescriptorReader {
    let path: String

    func malformed(_ what: String) -> PluginRefusal { .malformed(path: path, what: what) }

    func check(_ size: UInt32, atLeast sizeMin: Int, _ what: String) throws(PluginRefusal) {
        guard size >= sizeMin else {
            throw malformed("the struct_size of its \(what) is \(size), at least \(sizeMin) is needed")
        }
    }

    func text(_ pointer: UnsafePointer<CChar>?, _ what: String) throws(PluginRefusal) -> String {
        guard let pointer else { throw malformed("its \(what) is missing") }
        var bytes: [UInt8] = []
        while pointer[bytes.count] != 0 {
            guard bytes.count < PluginDescription.textBytesMax else {
                throw malformed("its \(what) is longer than \(PluginDescription.textBytesMax) bytes")
            }
            bytes.append(UInt8(bitPattern: pointer[bytes.count]))
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw malformed("its \(what) is no UTF-8") }
        return text
    }

    func list<T: BitwiseCopyable>(
        _ start: UnsafePointer<T>?,
        _ count: Int,
        _ sizeMin: Int,
        _ what: String
    ) throws(PluginRefusal) -> [T] {
        guard (0...PluginDescription.entriesMax).contains(count) else {
            throw malformed("it lists \(count) \(what), at most \(PluginDescription.entriesMax) are allowed")
        }
        guard count == 0 || start != nil else { throw malformed("its list of \(what) is missing") }
        guard count > 0, let start else { return [] }
        // A plugin of a later minor version has longer structs: their own size is the distance between them.
        let first = UnsafeRawPointer(start)
        let stride = Int(first.load(as: UInt32.self))
        guard stride >= sizeMin, stride.isMultiple(of: MemoryLayout<T>.alignment) else {
            throw malformed("the struct_size of its \(what) is \(stride), at least \(sizeMin) is needed")
        }
        return (0..<count).map { readABI(first + $0 * stride, size: stride, as: T.self) }
    }
}

internal import CPlugboard

extension Descriptor {
    /// The descriptor in the ABI's form, in memory that is never freed.
    func immortalABI() -> UnsafePointer<plugboard_descriptor_t> {
        let capabilities = Self.immortal(self.capabilities.map(\.abi))
        let settings = Self.immortal(self.settings.map(\.abi))
        let commands = Self.immortal(self.commands.map(\.abi))
        let descriptor = plugboard_descriptor_t(
            struct_size: structSize(plugboard_descriptor_t.self),
            reserved: 0,
            id: id.immortal,
            name: name.immortal,
            version: version.immortal,
            vendor: vendor.immortal,
            capabilities: capabilities,
            capability_count: self.capabilities.count,
            settings: settings,
            setting_count: self.settings.count,
            commands: commands,
            command_count: self.commands.count
        )
        return Self.immortal([descriptor])
    }

    private static func immortal<T>(_ values: [T]) -> UnsafePointer<T> {
        let copy = UnsafeMutableBufferPointer<T>.allocate(capacity: max(values.count, 1))
        guard let base = copy.baseAddress else { preconditionFailure("a buffer of one element has an address") }
        _ = copy.initialize(from: values)
        return UnsafePointer(base)
    }
}

extension String {
    /// A NUL-terminated copy that is never freed.
    fileprivate var immortal: UnsafePointer<CChar> {
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: utf8.count + 1)
        for (index, byte) in utf8.enumerated() { copy[index] = CChar(bitPattern: byte) }
        copy[utf8.count] = 0
        return UnsafePointer(copy)
    }
}

extension Capability {
    fileprivate var abi: plugboard_capability_t {
        plugboard_capability_t(
            struct_size: structSize(plugboard_capability_t.self),
            level: level.rawValue,
            name: name.immortal,
            limit: limit
        )
    }
}

extension Command {
    /// Without a function: the extension carries it out.
    fileprivate var abi: plugboard_command_t {
        plugboard_command_t(
            struct_size: structSize(plugboard_command_t.self),
            reserved: 0,
            name: name.immortal,
            signature: signature.immortal,
            argument_names: argumentNames.immortal,
            help: help.immortal,
            function: nil
        )
    }
}

extension SettingSchema {
    fileprivate var abi: plugboard_setting_schema_t {
        let (type, range, choices): (UInt32, ClosedRange<Int64>, [String]) =
            switch kind {
            case .string: (PLUGBOARD_SETTING_STRING, 0...0, [])
            case .integer(let range): (PLUGBOARD_SETTING_INTEGER, range, [])
            case .boolean: (PLUGBOARD_SETTING_BOOLEAN, 0...0, [])
            case .duration(let range): (PLUGBOARD_SETTING_DURATION, range, [])
            case .size(let range): (PLUGBOARD_SETTING_SIZE, range, [])
            case .choice(let choices): (PLUGBOARD_SETTING_CHOICE, 0...0, choices)
            case .address: (PLUGBOARD_SETTING_ADDRESS, 0...0, [])
            case .secret: (PLUGBOARD_SETTING_SECRET, 0...0, [])
            }
        return plugboard_setting_schema_t(
            struct_size: structSize(plugboard_setting_schema_t.self),
            type: type,
            flags: isRequired ? PLUGBOARD_SETTING_REQUIRED : 0,
            reserved: 0,
            path: path.immortal,
            standard: standard?.immortal,
            choices: choices.isEmpty ? nil : choices.joined(separator: "|").immortal,
            help: help.immortal,
            minimum: range.lowerBound,
            maximum: range.upperBound
        )
    }
}

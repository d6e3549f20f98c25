import CPlugboard
import PluginHost
import Testing

@Suite("What plugins say of themselves")
struct PluginDescriptionTests {
    let arena = Arena()

    private func text(_ text: String) -> UnsafePointer<CChar> { arena.cString(text) }

    private var descriptor: plugboard_descriptor_t {
        var result = plugboard_descriptor_t()
        result.struct_size = structSize(plugboard_descriptor_t.self)
        result.id = text("org.example.x")
        result.name = text("Example ✓")
        result.version = text("1.0")
        result.vendor = text("")
        return result
    }

    private var capability: plugboard_capability_t {
        let size = structSize(plugboard_capability_t.self)
        return plugboard_capability_t(struct_size: size, level: PLUGBOARD_LEVEL_FULL, name: text("messages"), limit: 9)
    }

    private var setting: plugboard_setting_schema_t {
        var result = plugboard_setting_schema_t()
        result.struct_size = structSize(plugboard_setting_schema_t.self)
        result.type = PLUGBOARD_SETTING_STRING
        result.path = text("partners[].domain")
        result.help = text("Whom.")
        return result
    }

    private func load(_ descriptor: plugboard_descriptor_t?) throws(PluginRefusal) -> PluginDescription {
        var table = plugboard_plugin_t()
        table.struct_size = structSize(plugboard_plugin_t.self)
        table.abi_version = PLUGBOARD_ABI_VERSION
        table.descriptor = descriptor.map { UnsafePointer(arena.put($0)) }
        table.check = { _, _ in }
        table.create = { _, _, _, _ in nil }
        return try Plugin(path: "libx.so", table: arena.put(table)).description
    }

    /// What is malformed in a descriptor after a change.
    private func fault(_ change: (inout plugboard_descriptor_t) -> Void) throws -> String {
        var changed = descriptor
        change(&changed)
        let refusal = try #require(throws: PluginRefusal.self) { try load(changed) }
        guard case .malformed("libx.so", let what) = refusal else { return "\(refusal)" }
        return what
    }

    @Test("a whole descriptor is copied")
    func whole() throws {
        var partial = capability
        (partial.level, partial.name, partial.limit) = (PLUGBOARD_LEVEL_PARTIAL, text("typing"), 0)
        var choice = setting
        choice.type = PLUGBOARD_SETTING_CHOICE
        choice.flags = PLUGBOARD_SETTING_REQUIRED
        choice.path = text("tls")
        choice.standard = text("required")
        choice.choices = text("required|optional")
        (choice.minimum, choice.maximum) = (-1, 5)
        var source = descriptor
        (source.capabilities, source.capability_count) = (UnsafePointer(arena.put([capability, partial])), 2)
        (source.settings, source.setting_count) = (UnsafePointer(arena.put([setting, choice])), 2)
        let description = try load(source)
        #expect((description.id, description.name) == ("org.example.x", "Example ✓"))
        #expect((description.version, description.vendor) == ("1.0", ""))
        #expect(description.capabilities.map(\.name) == ["messages", "typing"])
        #expect(description.capabilities.map(\.isFull) == [true, false])
        #expect(description.capabilities.map(\.limit) == [9, 0])
        #expect(description.settings.map(\.path) == ["partners[].domain", "tls"])
        #expect(description.settings.map(\.type) == [PLUGBOARD_SETTING_STRING, PLUGBOARD_SETTING_CHOICE])
        #expect(description.settings.map(\.isRequired) == [false, true])
        #expect(description.settings.map(\.standard) == [nil, "required"])
        #expect(description.settings.map(\.choices) == [[], ["required", "optional"]])
        #expect(description.settings.map(\.minimum) == [0, -1])
        #expect(description.settings.map(\.maximum) == [0, 5])
        #expect(description.settings.map(\.help) == ["Whom.", "Whom."])
    }

    @Test("lists of a later minor version, with longer entries, are read entry by entry")
    func longerEntries() throws {
        struct LongCapability {
            var capability: plugboard_capability_t
            var added: (UInt64, UInt64) = (.max, .max)
        }
        let entries = ["messages", "typing", "presence"].map { name in
            var long = LongCapability(capability: capability)
            long.capability.struct_size = UInt32(MemoryLayout<LongCapability>.stride)
            long.capability.name = text(name)
            return long
        }
        var source = descriptor
        source.capabilities = UnsafeRawPointer(arena.put(entries)).assumingMemoryBound(to: plugboard_capability_t.self)
        source.capability_count = 3
        #expect(try load(source).capabilities.map(\.name) == ["messages", "typing", "presence"])
    }

    @Test("a plugin without a descriptor, or with one that is too short, is refused")
    func shortDescriptor() throws {
        #expect(throws: PluginRefusal.malformed(path: "libx.so", what: "it has no descriptor")) { try load(nil) }
        #expect(try fault { $0.struct_size -= 1 }.contains("struct_size of its descriptor"))
        #expect(try fault { $0.struct_size = 0 }.contains("struct_size of its descriptor"))
    }

    @Test("texts that are missing are refused, each by its name")
    func missingTexts() throws {
        #expect(try fault { $0.id = nil } == "its id is missing")
        #expect(try fault { $0.name = nil } == "its name is missing")
        #expect(try fault { $0.version = nil } == "its version is missing")
        #expect(try fault { $0.vendor = nil } == "its vendor is missing")
    }

    @Test("bytes that are no UTF-8 are refused")
    func badText() throws {
        let bad: UnsafePointer<CChar> = UnsafePointer(arena.put([CChar(0x61), CChar(-1), CChar(0)]))
        #expect(try fault { $0.name = bad } == "its name is no UTF-8")
        #expect(try fault { $0.id = bad } == "its id is no UTF-8")
    }

    @Test("a text has up to 4096 bytes")
    func longText() throws {
        var source = descriptor
        source.name = text(String(repeating: "x", count: 4096))
        #expect(try load(source).name.count == 4096)
        let long = text(String(repeating: "x", count: 4097))
        #expect(try fault { $0.name = long } == "its name is longer than 4096 bytes")
    }

    @Test("an id is plain and not empty", arguments: ["", "a b", "ä", "a\tb", "a\u{7F}"])
    func badID(id: String) throws {
        #expect(try fault { $0.id = text(id) } == "its id is empty or not plain ASCII")
    }

    @Test("a list has up to 1024 entries, and is there if it has any")
    func lists() throws {
        let many = UnsafePointer(arena.put([plugboard_capability_t](repeating: capability, count: 1025)))
        var source = descriptor
        (source.capabilities, source.capability_count) = (many, 1024)
        #expect(try load(source).capabilities.count == 1024)
        for count in [1025, Int.max, -1] {
            let what = try fault { ($0.capabilities, $0.capability_count) = (many, count) }
            #expect(what == "it lists \(count) capabilities, at most 1024 are allowed")
        }
        #expect(try fault { $0.capability_count = 1 } == "its list of capabilities is missing")
        #expect(try fault { $0.setting_count = 1 } == "its list of settings is missing")
    }

    @Test("entries that are too short or incomplete are refused")
    func badEntries() throws {
        #expect(try settingFault { $0.struct_size -= 8 }.contains("struct_size"))
        #expect(try settingFault { $0.struct_size = 0 }.contains("struct_size"))
        #expect(try settingFault { $0.path = nil } == "its setting path is missing")
        #expect(try settingFault { $0.help = nil } == "its setting help is missing")
        #expect(try settingFault { $0.type = 0 }.contains("unknown type 0"))
        #expect(try settingFault { $0.type = 9 }.contains("unknown type 9"))
        var short = capability
        short.struct_size = 8
        let pointer = UnsafePointer(arena.put(short))
        #expect(try fault { ($0.capabilities, $0.capability_count) = (pointer, 1) }.contains("struct_size"))
        var nameless = capability
        nameless.name = nil
        let second = UnsafePointer(arena.put([capability, nameless]))
        #expect(try fault { ($0.capabilities, $0.capability_count) = (second, 2) } == "its capability name is missing")
    }

    private func settingFault(_ change: (inout plugboard_setting_schema_t) -> Void) throws -> String {
        var changed = setting
        change(&changed)
        let pointer = UnsafePointer(arena.put(changed))
        return try fault { ($0.settings, $0.setting_count) = (pointer, 1) }
    }
}

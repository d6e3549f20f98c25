import CPlugboard
import Testing

@testable import ProviderKit

@Suite("Descriptors at the plugin boundary")
struct DescriptorTests {
    @Test("the plugin's table says its version, its sizes and who it is")
    func table() throws {
        let plugin = try #require(Entry.plugin(Probe.self)).pointee
        #expect(plugin.struct_size == structSize(plugboard_plugin_t.self))
        #expect(plugin.abi_version == PLUGBOARD_ABI_VERSION)
        let descriptor = plugin.descriptor.pointee
        #expect(descriptor.struct_size == structSize(plugboard_descriptor_t.self))
        #expect(String(cString: descriptor.id) == "org.example.probe")
        #expect(String(cString: descriptor.name) == "Probe")
        #expect(String(cString: descriptor.version) == "1.2.3")
        #expect(String(cString: descriptor.vendor) == "Nobody")
        #expect(descriptor.command_count == 0)
    }

    @Test("capabilities keep their level and limit")
    func capabilities() throws {
        let descriptor = try #require(Entry.plugin(Probe.self)).pointee.descriptor.pointee
        try #require(descriptor.capability_count == 2)
        let (first, second) = (descriptor.capabilities[0], descriptor.capabilities[1])
        #expect(String(cString: first.name) == "messages")
        #expect((first.level, first.limit) == (PLUGBOARD_LEVEL_FULL, 1000))
        #expect(String(cString: second.name) == "typing")
        #expect((second.level, second.limit) == (PLUGBOARD_LEVEL_PARTIAL, 0))
    }

    @Test("each kind of setting has its type, range, choices and default")
    func settings() throws {
        let descriptor = try #require(Entry.plugin(Probe.self)).pointee.descriptor.pointee
        let settings = Array(UnsafeBufferPointer(start: descriptor.settings, count: descriptor.setting_count))
        try #require(settings.count == 8)
        #expect(
            settings.map(\.type) == [
                PLUGBOARD_SETTING_STRING, PLUGBOARD_SETTING_INTEGER, PLUGBOARD_SETTING_BOOLEAN,
                PLUGBOARD_SETTING_DURATION, PLUGBOARD_SETTING_SIZE, PLUGBOARD_SETTING_CHOICE,
                PLUGBOARD_SETTING_ADDRESS, PLUGBOARD_SETTING_SECRET,
            ]
        )
        #expect(settings.map { String(cString: $0.path) }.last == "password")
        #expect(settings.map { String(cString: $0.help) }.first == "Who answers.")
        #expect(settings.map(\.flags) == [PLUGBOARD_SETTING_REQUIRED, 0, 0, 0, 0, 0, 0, 0])
        #expect(settings.map(\.minimum) == [0, -5, 0, 1, 0, 0, 0, 0])
        #expect(settings.map(\.maximum) == [0, 7, 0, 2, 65536, 0, 0, 0])
        // An empty default is a default.
        #expect(settings.map { $0.standard.map { String(cString: $0) } } == [nil, "3", "", nil, nil, nil, nil, nil])
        let choices = settings.map { $0.choices.map { String(cString: $0) } }
        #expect(choices == [nil, nil, nil, nil, nil, "required|optional", nil, nil])
    }
}

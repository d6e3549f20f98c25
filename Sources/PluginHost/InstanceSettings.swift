internal import CPlugboard

/// What an instance is told at its creation.
package struct InstanceSettings: Hashable, Sendable {
    /// One setting: `partners[0].domain`, `example.org`.
    package struct Entry: Hashable, Sendable {
        package var path: String
        package var value: String

        package init(path: String, value: String) {
            self.path = path
            self.value = value
        }
    }

    /// The instance's name in the configuration.
    package var id: String
    /// Its settings with defaults filled in, in the order of the configuration.
    package var entries: [Entry]
    /// The domains that the organisation serves.
    package var homeDomains: [String]

    package init(id: String, entries: [Entry], homeDomains: [String]) {
        self.id = id
        self.entries = entries
        self.homeDomains = homeDomains
    }

    /// Lends all of it in the ABI's form for the duration of `body`.
    func withABI<R>(problems: ProblemCollector, _ body: (UnsafePointer<plugboard_instance_t>) -> R) -> R {
        var texts: [String] = [id]
        for entry in entries { texts += [entry.path, entry.value] }
        texts += homeDomains
        return withTexts(texts) { spans in
            let settings = entries.indices.map { index in
                plugboard_setting_t(
                    struct_size: UInt32(MemoryLayout<plugboard_setting_t>.size),
                    reserved: 0,
                    path: spans[1 + 2 * index],
                    value: spans[2 + 2 * index]
                )
            }
            let domains = Array(spans[(1 + 2 * entries.count)...])
            return problems.withABI { problems in
                settings.withUnsafeBufferPointer { settings in
                    domains.withUnsafeBufferPointer { domains in
                        let instance = plugboard_instance_t(
                            struct_size: UInt32(MemoryLayout<plugboard_instance_t>.size),
                            reserved: 0,
                            id: spans[0],
                            settings: settings.baseAddress,
                            setting_count: settings.count,
                            home_domains: domains.baseAddress,
                            home_domain_count: domains.count,
                            problems: problems
                        )
                        return withUnsafePointer(to: instance, body)
                    }
                }
            }
        }
    }
}

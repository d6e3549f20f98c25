package import CPlugboard

/// A loaded plugin: its table, checked, and what it says of itself.
///
/// Safe to share: the table is static and immutable by contract, and a plugin is never unloaded.
package final class Plugin: @unchecked Sendable {
    /// The file it came from.
    package let path: String
    /// The SHA-256 of its file in small hexadecimal digits; nil if it is linked into this program.
    package let sha256: String?
    /// What it says of itself.
    package let description: PluginDescription
    /// Its table.
    package let table: UnsafePointer<plugboard_plugin_t>

    /// Takes a plugin that is linked into this program: the same checks, no file.
    ///
    /// - Throws: ``PluginRefusal``.
    package init(
        path: String,
        sha256: String? = nil,
        table: UnsafePointer<plugboard_plugin_t>?
    ) throws(PluginRefusal) {
        guard let table else { throw .declined(path: path) }
        // The version comes before all else: only its place is the same in every version.
        guard table.pointee.abi_version >> 16 == PLUGBOARD_ABI_VERSION >> 16 else {
            throw .wrongVersion(path: path, plugin: table.pointee.abi_version, host: PLUGBOARD_ABI_VERSION)
        }
        let size = ABISize.plugin
        guard table.pointee.struct_size >= size else {
            let what = "the struct_size of its plugin table is \(table.pointee.struct_size), at least \(size) is needed"
            throw .malformed(path: path, what: what)
        }
        guard table.pointee.check != nil, table.pointee.create != nil else {
            throw .malformed(path: path, what: "its plugin table lacks check or create")
        }
        self.path = path
        self.sha256 = sha256
        self.table = table
        self.description = try PluginDescription(table.pointee.descriptor, path: path)
    }

    /// Lets the plugin check settings that fit its schema. [loader]
    ///
    /// - Returns: what it found, in order.
    package func check(_ settings: InstanceSettings) -> [SettingProblem] {
        let collector = ProblemCollector()
        settings.withABI(problems: collector) { table.pointee.check(table.pointee.context, $0) }
        return collector.problems
    }
}

/// What a plugin found wrong with its settings.
package struct SettingProblem: Hashable, Sendable {
    /// An error keeps the instance from starting; a warning does not.
    package var isError: Bool
    /// Such as `partners[0].tls`.
    package var path: String
    /// What is wrong and how to mend it.
    package var sentence: String
}

/// Receives what a plugin reports during one call.
final class ProblemCollector {
    private(set) var problems: [SettingProblem] = []

    /// The most that one call may report; the rest is dropped.
    static let problemsMax = 1000

    /// Lends the sink in the ABI's form for the duration of `body`.
    func withABI<R>(_ body: (UnsafePointer<plugboard_problems_t>) -> R) -> R {
        let sink = plugboard_problems_t(
            struct_size: UInt32(MemoryLayout<plugboard_problems_t>.size),
            reserved: 0,
            context: Unmanaged.passUnretained(self).toOpaque(),
            report: { context, severity, path, sentence in
                guard let context else { return }
                let collector = Unmanaged<ProblemCollector>.fromOpaque(context).takeUnretainedValue()
                guard collector.problems.count < ProblemCollector.problemsMax else { return }
                collector.problems.append(
                    SettingProblem(
                        isError: severity != PLUGBOARD_PROBLEM_WARNING,
                        path: path.string,
                        sentence: sentence.string
                    )
                )
            }
        )
        return withUnsafePointer(to: sink, body)
    }
}

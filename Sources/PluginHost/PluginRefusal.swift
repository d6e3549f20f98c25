/// Why a plugin was not loaded.
///
/// The other plugins run on.
package enum PluginRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// No file of that name in the search path.
    case notFound(name: String, searched: [String])
    /// The file cannot be read, or not be copied to where it is loaded from.
    case unreadable(path: String, reason: String)
    /// The file is no shared object for this machine.
    case notASharedObject(path: String)
    /// The end of the file is missing.
    case truncated(path: String)
    /// It is another file than the one that the configuration pins.
    case wrongDigest(path: String, pinned: String, found: String)
    /// A digest is pinned for what is part of this program.
    case noFile(name: String)
    /// The dynamic linker refused it; its own words.
    case linkFailed(path: String, reason: String)
    /// It does not export the entry function.
    case missingSymbol(path: String, symbol: String)
    /// Its entry function returned no plugin.
    case declined(path: String)
    /// It was built for another major version of the ABI.
    case wrongVersion(path: String, plugin: UInt32, host: UInt32)
    /// Its tables are malformed.
    case malformed(path: String, what: String)
    /// Another loaded plugin has the same id.
    case duplicateID(path: String, id: String, other: String)

    package var description: String {
        switch self {
        case .notFound(let name, let searched):
            "no lib\(name).so in \(searched.joined(separator: ", ")): check the name, or add its folder to plugin_path"
        case .unreadable(let path, let reason):
            "\(path) cannot be read: \(reason)"
        case .notASharedObject(let path):
            "\(path) is not a shared object for this machine: build the plugin as a dynamic library"
        case .truncated(let path):
            "\(path) is cut short: copy it again, and put it in place when the copy is complete"
        case .wrongDigest(let path, let pinned, let found):
            "\(path) is not the file that is pinned: its SHA-256 is \(found), not \(pinned); "
                + "if it was meant to change, write the new digest"
        case .noFile(let name):
            "\(name) is part of this program and has no file to pin: remove sha256"
        case .linkFailed(let path, let reason):
            "\(path) cannot be linked: \(reason)"
        case .missingSymbol(let path, let symbol):
            "\(path) is no Plugboard plugin: it does not export \(symbol)"
        case .declined(let path):
            "\(path) declined to work in this process: its entry function returned nothing"
        case .wrongVersion(let path, let plugin, let host):
            "\(path) was built for plugin ABI \(Self.version(plugin)), and this router speaks \(Self.version(host)): "
                + "use a build of the plugin for ABI \(host >> 16)"
        case .malformed(let path, let what):
            "\(path) is malformed: \(what)"
        case .duplicateID(let path, let id, let other):
            "\(path) has the id \(id), which \(other) has already: remove one of them"
        }
    }

    private static func version(_ abi: UInt32) -> String { "\(abi >> 16).\(abi & 0xFFFF)" }
}

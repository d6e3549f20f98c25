internal import CPlugboard
internal import Foundation
internal import Glibc

/// Finds plugins in the search path and links them into the process, for good.
///
/// A plugin is loaded from a copy that is named after its contents, see ``LibraryFile``: the linker
/// answers a second load of one path with the first library, whatever the file holds by then, and a
/// file that is overwritten while it is mapped takes the process down. Nothing is ever unloaded: the
/// Swift runtime keeps pointers into every library it has seen.
package struct PluginLoader {
    /// Folders, in the order in which they are searched.
    package let searchPath: [String]
    /// Where the copies go; made if it is missing.
    package let copies: String

    /// The most bytes of a plugin file: 256 MiB.
    package static let fileBytesMax = 256 << 20

    package init(searchPath: [String], copies: String) {
        self.searchPath = searchPath
        self.copies = copies
    }

    /// The folders that are searched where the configuration names none: `$PLUGBOARD_PLUGIN_PATH`, the
    /// installed one, and the executable's own.
    package static func standardSearchPath() -> [String] {
        var result: [String] = []
        if let variable = ProcessInfo.processInfo.environment["PLUGBOARD_PLUGIN_PATH"] {
            result += variable.split(separator: ":").map(String.init)
        }
        let executable = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        if let executable, let slash = executable.lastIndex(of: "/") {
            let folder = String(executable[..<slash])
            result += ["\(folder)/../lib/plugboard/plugins", folder]
        }
        return result
    }

    /// Where a plugin's file is: `name` is a path if it has a `/`, else `lib<name>.so` in the search path.
    ///
    /// - Throws: ``PluginRefusal/notFound(name:searched:)``.
    package func find(_ name: String) throws(PluginRefusal) -> String {
        if name.contains("/") {
            guard FileManager.default.fileExists(atPath: name) else {
                throw .unreadable(path: name, reason: "there is no such file")
            }
            return name
        }
        for folder in searchPath {
            let path = "\(folder)/lib\(name).so"
            if FileManager.default.fileExists(atPath: path) { return path }
        }
        throw .notFound(name: name, searched: searchPath)
    }

    /// Every file in the search path that looks like a plugin library, sorted, the first of each name only.
    package func candidates() -> [String] {
        var seen: Set<String> = []
        var result: [String] = []
        for folder in searchPath {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            where name.hasPrefix("lib") && name.hasSuffix(".so") && seen.insert(name).inserted {
                result.append("\(folder)/\(name)")
            }
        }
        return result.sorted()
    }

    /// Loads a plugin by name or path. [loader]
    ///
    /// - Parameter pin: the SHA-256 that its file must have, in small hexadecimal digits.
    /// - Throws: ``PluginRefusal``, with the file and the reason.
    package func load(_ name: String, pin: String? = nil) throws(PluginRefusal) -> Plugin {
        let file = try LibraryFile(reading: try find(name), pin: pin)
        let path = file.path
        let copy = try pin == nil ? file.copied(to: copies) : file.sealed()
        guard let handle = dlopen(copy, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
            throw .linkFailed(path: path, reason: dlerror().map { String(cString: $0) } ?? "no reason given")
        }
        guard let symbol = dlsym(handle, PLUGBOARD_ENTRY_SYMBOL) else {
            throw .missingSymbol(path: path, symbol: PLUGBOARD_ENTRY_SYMBOL)
        }
        let entry = unsafeBitCast(
            symbol,
            to: (@convention(c) (UInt32) -> UnsafePointer<plugboard_plugin_t>?).self
        )
        return try Plugin(path: path, sha256: file.sha256, table: entry(PLUGBOARD_ABI_VERSION))
    }
}

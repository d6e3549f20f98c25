internal import Glibc
internal import NIOConcurrencyHelpers
internal import NativeCalls

/// An ordinary shared library, loaded for good.
///
/// It is loaded from where it lies, so that it finds its neighbours by `$ORIGIN`; with a pinned digest from a sealed file in
/// memory, see ``LibraryFile``, where it does not. Whoever replaces the first must put a new file in its place (`mv`), and
/// never write into it.
///
/// Safe to share: written by its initialiser alone, and never unloaded.
package final class ForeignLibrary: @unchecked Sendable {
    package let path: String
    /// In small hexadecimal digits.
    package let sha256: String
    private let handle: UnsafeMutableRawPointer

    /// Loads a library. [loader]
    ///
    /// - Parameter pin: the digest that it must have.
    /// - Throws: ``PluginRefusal``.
    package init(path: String, pin: String?) throws(PluginRefusal) {
        let file = try LibraryFile(reading: path, pin: pin)
        if pin == nil { try Self.note(file) }
        guard let handle = dlopen(try pin == nil ? path : file.sealed(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
            let reason = dlerror().map { String(cString: $0) } ?? "no reason given"
            let advice =
                "; it is loaded from memory, for its digest is pinned: what it needs beside it ($ORIGIN) must be "
                + "found by the system, as with LD_LIBRARY_PATH"
            throw .linkFailed(path: path, reason: pin == nil ? reason : reason + advice)
        }
        self.path = path
        self.sha256 = file.sha256
        self.handle = handle
    }

    /// What was loaded from where it lies: the linker answers a second load of a path with what it has.
    private static let loaded = NIOLockedValueBox<[String: String]>([:])

    private static func note(_ file: LibraryFile) throws(PluginRefusal) {
        let known = loaded.withLockedValue { loaded in
            if loaded[file.path] == nil { loaded[file.path] = file.sha256 }
            return loaded[file.path]
        }
        guard known == file.sha256 else {
            let reason =
                "this process has loaded another file from there, and keeps it: restart the router, or give the new "
                + "file another name"
            throw .linkFailed(path: file.path, reason: reason)
        }
    }

    /// A function of the library; nil if it exports none of this name.
    func function(named name: String) -> UnsafeRawPointer? { dlsym(handle, name).map { UnsafeRawPointer($0) } }
}

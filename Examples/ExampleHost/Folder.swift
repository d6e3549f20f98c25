internal import Foundation

/// A folder of the example's own.
struct Folder {
    /// Absolute.
    let path: String

    /// Makes a new one that only this user can enter, where the system wants such folders.
    static func temporary() throws(ExampleError) -> Folder {
        let parent = FileManager.default.temporaryDirectory.path
        var template = Array("\(parent)/plugboard-example-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw .unwritable(path: parent, reason: String(cString: strerror(errno)))
        }
        return Folder(path: String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
    }

    /// Makes a folder inside.
    func folder(_ name: String) throws(ExampleError) -> Folder {
        let inner = Folder(path: "\(path)/\(name)")
        do {
            try FileManager.default.createDirectory(atPath: inner.path, withIntermediateDirectories: false)
        } catch {
            throw .unwritable(path: inner.path, reason: error.localizedDescription)
        }
        return inner
    }

    /// Writes a file; a secret one only this user can read.
    ///
    /// - Returns: its path.
    @discardableResult
    func write(_ text: String, to name: String, isSecret: Bool = false) throws(ExampleError) -> String {
        let file = "\(path)/\(name)"
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: isSecret ? 0o600 : 0o644]
        guard FileManager.default.createFile(atPath: file, contents: Data(text.utf8), attributes: attributes) else {
            throw .unwritable(path: file, reason: String(cString: strerror(errno)))
        }
        return file
    }

    /// Removes it with all that is in it.
    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// Why the example cannot run.
enum ExampleError: Error, CustomStringConvertible {
    /// A folder or file cannot be made.
    case unwritable(path: String, reason: String)
    /// The system has no port on 127.0.0.1 for us.
    case noFreePort(reason: String)
    /// The router has something against a configuration; each problem with its place.
    case configuration([String])
    /// A provider was not started.
    case notRunning(provider: String, router: String)

    var description: String {
        switch self {
        case .unwritable(let path, let reason): "\(path) cannot be written: \(reason); set TMPDIR to another folder"
        case .noFreePort(let reason): "there is no free port on 127.0.0.1: \(reason)"
        case .configuration(let problems): problems.joined(separator: "\n")
        case .notRunning(let provider, let router):
            "the provider \(provider) of \(router) does not run; the log above says why"
        }
    }
}

internal import CLinux
internal import Foundation
internal import Glibc
internal import HostServices
internal import NIOConcurrencyHelpers

/// The contents of a library's file, read once: what is checked, hashed and loaded are the same bytes.
///
/// A library with a pinned digest is loaded from a sealed file in memory: nobody can put other bytes into it between the
/// check and the load, nor while it is mapped. One without is loaded from a copy on disk, whose name debuggers and crash
/// reports can use. Neither lies where the file does, so `$ORIGIN` in a library's search path does not lead there.
struct LibraryFile {
    let path: String
    /// 64 hexadecimal digits, in small letters.
    let sha256: String
    private let contents: [UInt8]

    /// Reads a library.
    ///
    /// Never waits: a FIFO or a device is refused, for only regular files are read.
    ///
    /// - Parameter pin: the digest that it must have.
    init(reading path: String, pin: String?) throws(PluginRefusal) {
        self.path = path
        contents = try Self.read(path)
        let (isObject, isWhole) = contents.withUnsafeBytes { bytes in
            let object = SharedObject(bytes)
            return (object != nil, object?.isWhole ?? false)
        }
        guard isObject else { throw .notASharedObject(path: path) }
        guard isWhole else { throw .truncated(path: path) }
        sha256 = Digests.hexadecimal(contents.withUnsafeBytes { Digests.sha256($0) })
        if let pin, pin != sha256 { throw .wrongDigest(path: path, pinned: pin, found: sha256) }
    }

    private static func read(_ path: String) throws(PluginRefusal) -> [UInt8] {
        // O_NONBLOCK: opening a FIFO that nobody writes to would wait for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw unreadable(path, errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw unreadable(path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadable(path: path, reason: "it is not a regular file")
        }
        let limit = PluginLoader.fileBytesMax
        guard status.st_size <= limit else { throw tooLarge(path) }
        let room = Int(status.st_size) + 1
        var error: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            while count < room {
                let got = Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, room - count)
                if got < 0, errno == EINTR { continue }
                if got < 0 { error = errno }
                guard got > 0 else { break }
                count += got
            }
        }
        guard error == 0 else { throw unreadable(path, error) }
        guard bytes.count < room else {
            throw .unreadable(path: path, reason: "it grew while it was read: put it in place when it is complete")
        }
        return bytes
    }

    // MARK: Where it is loaded from

    /// A file in memory with these bytes, which nobody can change; the same for the same bytes.
    ///
    /// It is open as long as the process: the dynamic linker takes a path that it has seen for the library that it knows.
    func sealed() throws(PluginRefusal) -> String {
        let result = Self.sealedFiles.withLockedValue { files -> Result<String, PluginRefusal> in
            if let known = files[sha256] { return .success(known) }
            let descriptor = plugboard_memory_file("\(stem)-\(sha256.prefix(16))")
            guard descriptor >= 0 else { return .failure(Self.unreadable(path, -descriptor)) }
            var status = Self.write(contents, to: descriptor)
            if status == 0 { status = -plugboard_seal(descriptor) }
            guard status == 0 else {
                close(descriptor)
                return .failure(Self.unreadable(path, status))
            }
            let name = "/proc/self/fd/\(descriptor)"
            files[sha256] = name
            return .success(name)
        }
        return try result.get()
    }

    private static let sealedFiles = NIOLockedValueBox<[String: String]>([:])

    /// A copy in `folder`, at a path that no other contents will ever have.
    func copied(to folder: String) throws(PluginRefusal) -> String {
        let copy = "\(folder)/\(stem)-\(sha256.prefix(16)).so"
        // What lies there may be damaged, or somebody else's.
        if let there = try? Self.read(copy), there == contents { return copy }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data(contents).write(to: URL(fileURLWithPath: copy), options: .atomic)
            return copy
        } catch {
            throw .unreadable(path: path, reason: error.localizedDescription)
        }
    }

    private var stem: String { URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent }

    /// Returns 0 or an `errno`.
    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return errno }
                rest = rest.dropFirst(count)
            }
            return 0
        }
    }

    private static func unreadable(_ path: String, _ code: Int32) -> PluginRefusal {
        .unreadable(path: path, reason: String(cString: strerror(code)))
    }

    private static func tooLarge(_ path: String) -> PluginRefusal {
        .unreadable(path: path, reason: "it has more than \(PluginLoader.fileBytesMax) bytes")
    }
}

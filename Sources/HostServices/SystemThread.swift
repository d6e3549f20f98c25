import Glibc

/// The calling thread, as the system knows it.
package enum SystemThread {
    /// The most bytes of a thread's name.
    static let nameBytesMax = 15

    /// Names the calling thread for `ps -T` and debuggers; a longer name is cut.
    ///
    /// Source: proc(5), `/proc/thread-self/comm`.
    package static func setName(_ name: String) {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        let bytes = Array(name.utf8.prefix(nameBytesMax))
        _ = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        close(file)
    }

    /// The system's number of the calling thread; 0 if it does not tell.
    ///
    /// Source: proc(5), `/proc/thread-self`.
    static var id: Int32 {
        var target = [CChar](repeating: 0, count: 64)
        let count = readlink("/proc/thread-self", &target, target.count)
        guard count > 0 else { return 0 }
        let text = String(decoding: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return text.split(separator: "/").last.flatMap { Int32($0) } ?? 0
    }
}

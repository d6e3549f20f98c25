internal import CPlugboard

/// The sizes that structs had in ABI 1.0, in bytes: the least that a plugin of major version 1 may say.
///
/// Fields are only ever appended, so a later minor version makes the structs longer and these stay. A reader asks for the
/// size here, and takes what lies behind it only if the struct's own `struct_size` reaches that far.
package enum ABISize {
    package static let bytes = 16
    package static let outcome = 48
    package static let envelope = 192
    package static let message = 104
    package static let receipt = 24
    package static let typing = 8
    package static let presence = 40
    package static let subscription = 40
    package static let contact = 56
    package static let call = 64
    package static let failure = 64
    package static let submitted = 24
    package static let provider = 128
    package static let plugin = 40
    package static let descriptor = 88
    package static let capability = 24
    package static let settingSchema = 64
    package static let command = 48
    package static let link = 72
    package static let statusExtension = 16
    package static let tlsOptions = 56
    package static let connectOptions = 40
    package static let listenOptions = 40
}

/// Reads a struct that says its own size: what a shorter one of an earlier minor version lacks is 0.
///
/// - Parameter pointer: to a struct whose `struct_size`, its first field, was checked against ``ABISize``.
package func readABI<T: BitwiseCopyable>(_ pointer: UnsafePointer<T>) -> T {
    readABI(UnsafeRawPointer(pointer), size: Int(UnsafeRawPointer(pointer).load(as: UInt32.self)), as: T.self)
}

/// The same, of a struct that is `size` bytes long.
func readABI<T: BitwiseCopyable>(_ pointer: UnsafeRawPointer, size: Int, as type: T.Type) -> T {
    guard size < MemoryLayout<T>.size else { return pointer.load(as: T.self) }
    return withUnsafeTemporaryAllocation(of: T.self, capacity: 1) { memory in
        let bytes = UnsafeMutableRawBufferPointer(memory)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        bytes.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: size))
        return bytes.load(as: T.self)
    }
}

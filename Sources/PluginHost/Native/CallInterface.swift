internal import CFFI
internal import Glibc
package import NativeCalls

/// How a function of one signature is called: what libffi needs to know, prepared once.
///
/// Nothing checks that the function has this signature: whoever declared it is trusted with that, as with all else that
/// runs in this process.
///
/// Safe to share: written by its initialiser alone.
package final class CallInterface: @unchecked Sendable {
    package let signature: Signature
    /// Parameters before those of the signature, such as a command's `self`.
    private let types: UnsafeMutableBufferPointer<UnsafeMutablePointer<ffi_type>?>
    let prepared: UnsafeMutablePointer<ffi_cif>

    /// Prepares calls.
    ///
    /// - Parameter leading: parameters that stand before those that are written.
    package init?(_ signature: Signature, leading: [NativeType] = []) {
        let parameters = leading + signature.parameters
        guard parameters.count <= Int(PLUGBOARD_FFI_ARGUMENTS_MAX) else { return nil }
        self.signature = signature
        types = .allocate(capacity: max(parameters.count, 1))
        types.initialize(repeating: nil)
        for (index, type) in parameters.enumerated() { types[index] = type.ffi }
        prepared = .allocate(capacity: 1)
        prepared.initialize(to: ffi_cif())
        let count = UInt32(parameters.count)
        guard ffi_prep_cif(prepared, FFI_DEFAULT_ABI, count, signature.result.ffi, types.baseAddress) == FFI_OK else {
            return nil
        }
    }

    deinit {
        types.deallocate()
        prepared.deallocate()
    }

    /// Calls a function that has this signature, on this thread.
    ///
    /// - Parameter slots: an argument each, as ``NativeType`` puts it into 8 bytes; pointers stay the caller's.
    /// - Precondition: as many as there are parameters.
    /// - Returns: the result's slot; read it with ``NativeType/integer(in:)`` and its like.
    func call(_ function: UnsafeRawPointer, _ slots: [UInt64]) -> UInt64 {
        precondition(slots.count == Int(prepared.pointee.nargs), "one slot an argument")
        var slots = slots
        var result: UInt64 = 0
        slots.withUnsafeMutableBufferPointer { plugboard_ffi_call(prepared, function, $0.baseAddress, &result) }
        return result
    }
}

extension NativeType {
    fileprivate var ffi: UnsafeMutablePointer<ffi_type> {
        switch self {
        case .void: plugboard_ffi_void()
        case .bool, .u8: plugboard_ffi_uint8()
        case .i8: plugboard_ffi_sint8()
        case .i16: plugboard_ffi_sint16()
        case .u16: plugboard_ffi_uint16()
        case .i32: plugboard_ffi_sint32()
        case .u32: plugboard_ffi_uint32()
        case .i64: plugboard_ffi_sint64()
        case .u64: plugboard_ffi_uint64()
        case .f32: plugboard_ffi_float()
        case .f64: plugboard_ffi_double()
        case .string, .pointer: plugboard_ffi_pointer()
        }
    }

    /// A whole number, truth value or address in a slot, cut to the type's width; machines are little-endian.
    func slot(_ value: Int64) -> UInt64 {
        switch self {
        case .f32: UInt64(Float(value).bitPattern)
        case .f64: Double(value).bitPattern
        case .bool: value == 0 ? 0 : 1
        case .void, .i8, .u8, .i16, .u16, .i32, .u32, .i64, .u64, .string, .pointer: UInt64(bitPattern: value)
        }
    }

    /// A floating-point number in a slot.
    func numberSlot(_ value: Double) -> UInt64 { self == .f32 ? UInt64(Float(value).bitPattern) : value.bitPattern }

    /// The whole number, truth value or address in a slot, widened; of a floating-point number its whole part.
    func integer(in slot: UInt64) -> Int64 {
        switch self {
        case .void: 0
        case .bool: slot & 0xFF == 0 ? 0 : 1
        case .i8: Int64(Int8(truncatingIfNeeded: slot))
        case .u8: Int64(UInt8(truncatingIfNeeded: slot))
        case .i16: Int64(Int16(truncatingIfNeeded: slot))
        case .u16: Int64(UInt16(truncatingIfNeeded: slot))
        case .i32: Int64(Int32(truncatingIfNeeded: slot))
        case .u32: Int64(UInt32(truncatingIfNeeded: slot))
        case .i64, .u64, .string, .pointer: Int64(bitPattern: slot)
        case .f32: Int64(exactly: Float(bitPattern: UInt32(truncatingIfNeeded: slot)).rounded(.towardZero)) ?? .min
        case .f64: Int64(exactly: Double(bitPattern: slot).rounded(.towardZero)) ?? .min
        }
    }

    /// The address in a slot.
    func address(in slot: UInt64) -> UnsafeRawPointer? { UnsafeRawPointer(bitPattern: UInt(slot)) }
}

/// Text that ends with a zero, borrowed from a function that was called or that calls.
enum NativeText {
    /// Copies at most `bytesMax` bytes; nil if there is no end within them.
    ///
    /// What is no UTF-8 becomes U+FFFD.
    static func copy(_ address: UnsafeRawPointer, bytesMax: Int) -> String? {
        let start = address.assumingMemoryBound(to: CChar.self)
        let count = strnlen(start, bytesMax + 1)
        guard count <= bytesMax else { return nil }
        return String(decoding: UnsafeRawBufferPointer(start: address, count: count), as: UTF8.self)
    }
}

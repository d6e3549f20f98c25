internal import CFFI
internal import NativeCalls
internal import Synchronization

/// A C function of its own for each account, made at run time: so that a callback which is told nothing of the account
/// belongs to one all the same.
///
/// It lives until it is freed, and what it leads to with it: a library may call at any time, also long after it was told to
/// stop, unless its manifest says after what it does not.
///
/// Safe to share: written by its initialiser alone.
struct ForeignClosure: @unchecked Sendable {
    /// What the library is given.
    let address: UnsafeRawPointer
    private let memory: UnsafeMutableRawPointer
    private let target: Unmanaged<CallbackTarget>

    private static let alive = Atomic<Int>(0)
    /// How many of this process have not been freed.
    static var liveCount: Int { alive.load(ordering: .relaxed) }

    /// Makes a function of the callback's signature that hands its arguments to `target`.
    ///
    /// - Returns: nil if the system has no memory for code.
    init?(_ interface: CallInterface, _ target: CallbackTarget) {
        var code: UnsafeMutableRawPointer?
        guard let memory = ffi_closure_alloc(MemoryLayout<ffi_closure>.size, &code), let code else { return nil }
        let user = Unmanaged.passRetained(target).toOpaque()
        // The target keeps the interface, which libffi reads at each call.
        let status = plugboard_ffi_prepare(
            memory.assumingMemoryBound(to: ffi_closure.self),
            interface.prepared,
            { _, result, arguments, user in
                guard let user, let arguments else { return }
                let target = Unmanaged<CallbackTarget>.fromOpaque(user).takeUnretainedValue()
                let returned = target.called(arguments)
                // libffi wants a whole register, however narrow the type is.
                if target.hasResult { result?.storeBytes(of: returned, as: UInt64.self) }
            },
            user,
            code
        )
        guard status == FFI_OK else {
            Unmanaged<CallbackTarget>.fromOpaque(user).release()
            ffi_closure_free(memory)
            return nil
        }
        address = UnsafeRawPointer(code)
        self.memory = memory
        self.target = Unmanaged<CallbackTarget>.fromOpaque(user)
        Self.alive.add(1, ordering: .relaxed)
    }

    /// Gives the memory back, once.
    ///
    /// Nobody calls the function any more, and nobody is in it.
    func free() {
        ffi_closure_free(memory)
        target.release()
        Self.alive.subtract(1, ordering: .relaxed)
    }
}

/// Where an account's callback leads.
///
/// Called on any thread of the library's, at any time.
final class CallbackTarget: Sendable {
    private let interface: CallInterface
    private let form: NativeCallback
    private let account: Int
    private let queue: ArrivalQueue

    /// The most bytes of a text that are taken: what an envelope holds.
    static let textBytesMax = 500_000
    /// The most bytes of a name or id.
    static let nameBytesMax = 1023

    init(_ interface: CallInterface, _ form: NativeCallback, account: Int, queue: ArrivalQueue) {
        self.interface = interface
        self.form = form
        self.account = account
        self.queue = queue
    }

    var hasResult: Bool { form.signature.result != .void }

    /// Copies what it is given, waits for room, and answers what the manifest says.
    func called(_ arguments: UnsafeMutablePointer<UnsafeMutableRawPointer?>) -> UInt64 {
        queue.put(arrival(arguments))
        return form.signature.result.slot(form.returns)
    }

    /// Nil if it makes no message.
    private func arrival(_ arguments: UnsafeMutablePointer<UnsafeMutableRawPointer?>) -> ForeignArrival? {
        var arrival = ForeignArrival(account: account)
        var textAddress: UnsafeRawPointer?
        var textBytes: Int?
        for (index, argument) in form.arguments.enumerated() {
            guard let place = arguments[index] else { return nil }
            let type = form.signature.parameters[index]
            switch argument {
            case .from:
                guard let name = Self.text(place, Self.nameBytesMax), !name.isEmpty else { return nil }
                arrival.from = name
            case .to: arrival.to = Self.text(place, Self.nameBytesMax)
            case .id: arrival.id = Self.text(place, Self.nameBytesMax) ?? ""
            case .text: textAddress = place.load(as: UnsafeRawPointer?.self)
            case .textBytes: textBytes = Int(type.integer(in: Self.slot(place, type)))
            case .ignored: break
            }
        }
        guard let textAddress else { return nil }
        if let textBytes {
            guard (0...Self.textBytesMax).contains(textBytes) else { return nil }
            let bytes = UnsafeRawBufferPointer(start: textAddress, count: textBytes)
            arrival.text = String(decoding: bytes, as: UTF8.self)
        } else {
            guard let text = NativeText.copy(textAddress, bytesMax: Self.textBytesMax) else { return nil }
            arrival.text = text
        }
        return arrival
    }

    private static func text(_ place: UnsafeMutableRawPointer, _ bytesMax: Int) -> String? {
        place.load(as: UnsafeRawPointer?.self).flatMap { NativeText.copy($0, bytesMax: bytesMax) }
    }

    /// An argument has as many bytes as its type; more may not be there to be read.
    private static func slot(_ place: UnsafeMutableRawPointer, _ type: NativeType) -> UInt64 {
        switch type {
        case .i8, .u8, .bool: UInt64(place.load(as: UInt8.self))
        case .i16, .u16: UInt64(place.load(as: UInt16.self))
        case .i32, .u32, .f32: UInt64(place.load(as: UInt32.self))
        case .i64, .u64, .f64, .string, .pointer: place.load(as: UInt64.self)
        case .void: 0
        }
    }
}

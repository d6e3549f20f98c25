internal import Glibc
internal import NativeCalls

/// One account on a foreign network, as its functions see it.
package struct ForeignAccount: Hashable, Sendable {
    /// What functions get as `account.NAME`.
    package var values: [String: String]

    package init(values: [String: String]) {
        self.values = values
    }
}

/// A message for a foreign network.
package struct ForeignLetter: Hashable, Sendable {
    package var from: String
    package var fromAddress: String
    package var to: String
    package var toAddress: String
    package var text: String
    package var id: String

    package init(from: String, fromAddress: String, to: String, toAddress: String, text: String, id: String) {
        self.from = from
        self.fromAddress = fromAddress
        self.to = to
        self.toAddress = toAddress
        self.text = text
        self.id = id
    }
}

/// What one call of a foreign function has at hand.
struct ForeignCall {
    var account: ForeignAccount?
    var handle: UInt64 = 0
    var callback: UnsafeRawPointer?
    var letter: ForeignLetter?
    /// What a function that is polled writes into.
    var buffers: PollBuffers?

    /// What came of it.
    struct Answer {
        var result: Int64
        var meaning: ResultMeaning
        /// The result as it came, which may be a handle.
        var slot: UInt64
        /// What the function put where it was told to put a handle.
        var newHandle: UInt64
    }

    /// Calls a function on this thread, for as long as it takes; what it is lent lives until it returns.
    func perform(_ function: ForeignFunction) throws(ForeignError) -> Answer {
        var texts: [UnsafeMutablePointer<CChar>] = []
        defer { for text in texts { free(text) } }
        let newHandle = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
        newHandle.initialize(to: 0)
        defer { newHandle.deallocate() }

        var slots: [UInt64] = []
        let isCounted = function.form.arguments.contains(.textBytes)
        for (argument, type) in zip(function.form.arguments, function.form.signature.parameters) {
            switch argument {
            case .handle: slots.append(type.slot(Int64(bitPattern: handle)))
            case .newHandle: slots.append(UInt64(UInt(bitPattern: newHandle)))
            case .callback: slots.append(UInt64(UInt(bitPattern: callback)))
            case .from: slots.append(try lend(letter?.from, &texts))
            case .fromAddress: slots.append(try lend(letter?.fromAddress, &texts))
            case .to: slots.append(try lend(letter?.to, &texts))
            case .toAddress: slots.append(try lend(letter?.toAddress, &texts))
            case .text: slots.append(try lend(letter?.text, mayHoldZero: isCounted, &texts))
            case .textBytes: slots.append(type.slot(Int64(letter?.text.utf8.count ?? 0)))
            case .id: slots.append(try lend(letter?.id, &texts))
            case .account(let name): slots.append(try value(name, type, &texts))
            case .fromBuffer: slots.append(buffers?.slot(of: .from) ?? 0)
            case .toBuffer: slots.append(buffers?.slot(of: .to) ?? 0)
            case .textBuffer: slots.append(buffers?.slot(of: .text) ?? 0)
            case .idBuffer: slots.append(buffers?.slot(of: .id) ?? 0)
            case .bufferBytes: slots.append(type.slot(Int64(NativeArgument.bufferBytesMax)))
            case .integer(let value): slots.append(type.slot(value))
            case .truth(let value): slots.append(type.slot(value ? 1 : 0))
            case .null: slots.append(0)
            }
        }
        let slot = function.interface.call(function.address, slots)
        let result = function.form.signature.result.integer(in: slot)
        return Answer(
            result: result,
            meaning: function.form.meaning(of: result),
            slot: slot,
            newHandle: newHandle.pointee
        )
    }

    private func value(
        _ name: String,
        _ type: NativeType,
        _ texts: inout [UnsafeMutablePointer<CChar>]
    ) throws(ForeignError) -> UInt64 {
        let text = account?.values[name] ?? ""
        guard type.isInteger else { return try lend(text, &texts) }
        guard let number = Int64(text), type.holds(number) else { throw .badNumber(account: name, type: type) }
        return type.slot(number)
    }

    /// A copy that ends with a zero.
    private func lend(
        _ text: String?,
        mayHoldZero: Bool = false,
        _ texts: inout [UnsafeMutablePointer<CChar>]
    ) throws(ForeignError) -> UInt64 {
        let text = text ?? ""
        guard mayHoldZero || !text.utf8.contains(0) else { throw .zeroInText }
        let bytes = Array(text.utf8)
        // malloc() ends the process where Swift's own allocation would: there is no memory for a few bytes.
        guard let copy = malloc(bytes.count + 1)?.assumingMemoryBound(to: CChar.self) else { abort() }
        for (index, byte) in bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
        copy[bytes.count] = 0
        texts.append(copy)
        return UInt64(UInt(bitPattern: copy))
    }
}

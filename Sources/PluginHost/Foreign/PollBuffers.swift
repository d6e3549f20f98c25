internal import NativeCalls

/// Where a function that is polled writes a message.
///
/// Safe to share: only the session's thread uses it.
final class PollBuffers: @unchecked Sendable {
    /// What the parts of a message are.
    enum Part: Int, CaseIterable {
        case from
        case to
        case text
        case id
    }

    private let base: UnsafeMutableRawPointer
    private static let partBytes = NativeArgument.bufferBytesMax

    init() {
        base = .allocate(byteCount: Self.partBytes * Part.allCases.count, alignment: 16)
        clear()
    }

    deinit {
        base.deallocate()
    }

    private func start(of part: Part) -> UnsafeMutableRawPointer { base + part.rawValue * Self.partBytes }

    /// The address, as a function is given it.
    func slot(of part: Part) -> UInt64 { UInt64(UInt(bitPattern: start(of: part))) }

    /// Makes every part empty.
    func clear() {
        for part in Part.allCases { start(of: part).storeBytes(of: 0, as: UInt8.self) }
    }

    /// What was written; nil if it makes no message.
    func arrival(for account: Int) -> ForeignArrival? {
        var arrival = ForeignArrival(account: account)
        guard let from = text(of: .from, CallbackTarget.nameBytesMax), !from.isEmpty,
            let text = text(of: .text, Self.partBytes - 1), !text.isEmpty
        else { return nil }
        arrival.from = from
        arrival.text = text
        arrival.to = self.text(of: .to, CallbackTarget.nameBytesMax).flatMap { $0.isEmpty ? nil : $0 }
        arrival.id = self.text(of: .id, CallbackTarget.nameBytesMax) ?? ""
        return arrival
    }

    /// Nil if it does not end within so many bytes.
    private func text(of part: Part, _ bytesMax: Int) -> String? {
        NativeText.copy(UnsafeRawPointer(start(of: part)), bytesMax: bytesMax)
    }
}

internal import CPlugboard
internal import PluginHost
internal import Spool

extension Router {
    /// Dead letters that are read from the disk at once.
    private static let pageMax = 256

    /// The dead letters that a filter lets through, in the order in which they were given up.
    ///
    /// - Parameters:
    ///   - after: only those that follow this one, which may be gone; all without it.
    ///   - limit: so many at most.
    package func deadLetters(
        _ filter: DeadLetterFilter = DeadLetterFilter(),
        after: Int64? = nil,
        limit: Int
    ) throws(DeadLetterError) -> [DeadLetterReport] {
        guard let store else { throw .notStored }
        var found: [DeadLetterReport] = []
        do throws(SpoolError) {
            var position: Int64 = 0
            if let after, let letter = try store.deadLetter(sequence: after) { position = letter.position }
            while found.count < limit {
                let page = try store.deadLetters(after: position, limit: Self.pageMax)
                guard let last = page.last else { break }
                position = last.position
                found += page.lazy.map { DeadLetterReport($0, withText: false) }.filter(filter.matches)
            }
        } catch {
            throw .spool("\(error)")
        }
        return Array(found.prefix(limit))
    }

    /// One dead letter; nil if there is none with this id.
    package func deadLetter(_ id: Int64, withText: Bool) throws(DeadLetterError) -> DeadLetterReport? {
        guard let store else { throw .notStored }
        do throws(SpoolError) {
            return try store.deadLetter(sequence: id).map { DeadLetterReport($0, withText: withText) }
        } catch {
            throw .spool("\(error)")
        }
    }

    /// Puts dead letters back in line, each as a new attempt with the key it had; for each what became of it.
    ///
    /// They get a whole new time to expire. Their authors were told that they had failed, and are not told of this.
    package func retryDeadLetters(_ ids: [Int64]) async throws(DeadLetterError) -> [DeadLetterResult] {
        try await settle(.retry, ids)
    }

    /// Deletes dead letters for good; for each what became of it.
    package func dropDeadLetters(_ ids: [Int64]) async throws(DeadLetterError) -> [DeadLetterResult] {
        try await settle(.drop, ids)
    }

    private func settle(
        _ action: SpoolWriter.DeadLetterRequest.Action,
        _ ids: [Int64]
    ) async throws(DeadLetterError) -> [DeadLetterResult] {
        guard store != nil else { throw .notStored }
        guard let writer = core.spoolWriter else { throw .stopping }
        var results: [DeadLetterResult] = []
        var rest = ids[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(SpoolWriter.DeadLetterRequest.idsMax))
            rest = rest.dropFirst(some.count)
            let answer = await withCheckedContinuation { continuation in
                writer.ask(.init(action: action, ids: some) { continuation.resume(returning: $0) })
            }
            results += try answer.get()
        }
        return results
    }
}

extension DeadLetterReport {
    /// Reads what the spool keeps; addresses and kind stay unknown if the stored form is damaged.
    init(_ letter: DeadLetter, withText: Bool) {
        let record = letter.record
        self.init(
            id: record.sequence,
            diedAt: letter.at,
            acceptedAt: record.createdAt,
            from: "",
            to: "",
            kind: "unknown",
            source: record.source,
            destination: record.destination,
            messageID: "",
            attempts: record.attempts,
            cause: "\(letter.cause)",
            failureClass: letter.failureClass.failureClassName,
            reason: letter.reason
        )
        guard record.damage == nil else { return }
        guard let form = try? record.payload.withUnsafeBytes({ try FlatEnvelope.storedForm($0) }) else { return }
        let image = UnsafeMutableRawPointer.allocate(byteCount: form.byteCount, alignment: 16)
        defer { image.deallocate() }
        guard let envelope = record.payload.withUnsafeBytes({ FlatEnvelope.restore($0, form, to: image) }) else {
            return
        }
        from = envelope.pointee.from.string
        to = envelope.pointee.to.string
        kind = envelope.pointee.kind.kindName
        messageID = envelope.pointee.id.string
        if withText, envelope.pointee.kind == PLUGBOARD_MESSAGE, let content = envelope.pointee.content {
            text = content.load(as: plugboard_message_t.self).text.string
        }
    }
}

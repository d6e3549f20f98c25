internal import CPlugboard
internal import HostServices
internal import Lanes
internal import Routing
internal import Spool
internal import Synchronization

// The way back: what became of appends, from the writer to the workers.
extension SpoolWriter {
    /// What became of one append, in two words of a lane.
    struct Result {
        var cookie: UInt
        var source: Int
        /// Which of the source's instances waits for it.
        var generation: UInt16
        /// Of the envelope, if it was refused.
        var kind: UInt16
        var refusal: Refusal?

        init(_ answer: Answer, _ refusal: Refusal?) {
            self.cookie = UInt(answer.cookie)
            self.source = answer.source
            self.generation = answer.generation
            self.kind = answer.kind
            self.refusal = refusal
        }

        /// The second word: the source in the upper half; in the lower the generation, the kind, and a small number for
        /// the refusal.
        var packed: UInt {
            let code: UInt =
                switch refusal {
                case nil: 0
                case .spoolFull: 1
                case .tooLarge: 2
                default: 3
                }
            // All kinds are small numbers.
            return UInt(source) << 32 | UInt(generation) << 16 | UInt(UInt8(truncatingIfNeeded: kind)) << 8 | code
        }

        init(cookie: UInt, packed: UInt) {
            self.cookie = cookie
            source = Int(packed >> 32)
            generation = UInt16(truncatingIfNeeded: packed >> 16)
            kind = UInt16(UInt8(truncatingIfNeeded: packed >> 8))
            refusal =
                switch packed & 0xFF {
                case 0: nil
                case 1: .spoolFull
                case 2: .tooLarge
                // The reason names files, and may go to a peer.
                default: .spoolFailed("see the router's log")
                }
        }
    }

    /// What an answer to a source needs.
    struct Answer {
        var cookie: UInt64
        var source: Int
        var generation: UInt16
        var kind: UInt16

        /// Nil for the router's own envelopes, which nobody waits for.
        init?(_ envelope: RoutedEnvelope) {
            let header = envelope.header.pointee
            guard header.source >= 0 else { return nil }
            kind = envelope.envelope.pointee.kind
            cookie = header.cookie
            source = header.source
            generation = header.generation
        }
    }

    /// Gathers an answer for the source's worker; ``sendAnswers()`` sends it.
    func send(_ answer: Answer?, _ refusal: Refusal?) {
        guard let answer else { return }
        let result = Result(answer, refusal)
        let worker = core.runtimes[answer.source].context.index
        unsentResults[worker].append(result.cookie)
        unsentResults[worker].append(result.packed)
    }

    /// Answers the sources that were held back for a destination which has drained.
    func releaseWithheld() {
        let isEverything = isReleasing.load(ordering: .acquiring)
        for destination in destinations where !destination.withheld.isEmpty {
            guard isEverything || !destination.isFull else { continue }
            for answer in destination.withheld { send(answer, nil) }
            destination.withheld = []
        }
    }

    /// Sends the answers as far as the workers' lanes have room, whose room wakes this thread.
    ///
    /// They are no more than the credits.
    func sendAnswers() {
        for context in core.contexts where !unsentResults[context.index].isEmpty {
            var sent = 0
            let words = unsentResults[context.index]
            repeat {
                // Pairs stay together: only pairs are pushed and popped, so there is always room for whole ones.
                sent += words.withUnsafeBufferPointer { words in
                    context.results.push(UnsafeBufferPointer(rebasing: words[sent...]), producer: 0)
                }
                if context.results.shouldWakeConsumer() { context.worker.wake() }
            } while sent < words.count && !context.results.waitForRoom(producer: 0)
            unsentResults[context.index].removeFirst(sent)
        }
    }
}

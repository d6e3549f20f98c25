internal import CPlugboard
internal import HostServices
internal import Lanes
internal import Logging
internal import PluginHost
internal import Routing
internal import Synchronization

/// One plugin instance in a runtime.
///
/// A runtime is the provider's place in the router: its name, lane, claims and rows in the spool. Instances come and go
/// in it, one after the other. While one takes over from another there are two, and what differs between them is here.
///
/// Worker's loop only.
final class Seat {
    let instance: Instance
    /// Tells the runtime's instances apart: goes along with what an instance submits and with what it holds.
    let generation: UInt16
    /// What it has claimed.
    var claims: Set<String> = []
    /// A submit was answered BUSY, and nothing was said since.
    var isWaitingForRoom = false
    /// Envelopes that it has taken and not settled.
    var heldCount = 0
    /// It has had its successor: it takes nothing and claims nothing more.
    var isLeaving = false

    init(_ instance: Instance, generation: UInt16) {
        self.instance = instance
        self.generation = generation
    }
}

/// How far the lane of a provider that does not run any more is emptied.
enum Closing: UInt8 {
    /// There is nothing to be done.
    case none
    /// The spool's writer is asked to put nothing into it.
    case asked
    /// It does not, and the worker is to let go of what is in it.
    case closed
}

/// Why a provider's instance does not take its place.
enum SeatError: Error, CustomStringConvertible {
    /// The one before is still finishing its work.
    case busy(provider: String)
    /// The provider cannot be made or started; the reason.
    case refused(InstanceError)

    var description: String {
        switch self {
        case .busy(let provider): "\(provider) is being replaced already: wait until that is done"
        case .refused(let error): "\(error)"
        }
    }
}

// Instances that come and go in one runtime.
extension InstanceRuntime {
    /// The instance that is given envelopes.
    var instance: Instance? { seat?.instance }

    /// The seat of one of the runtime's instances; nil for one that is gone.
    @inline(__always)
    func seat(of instance: Instance) -> Seat? { unmanagedSeat(of: instance)?.takeUnretainedValue() }

    /// The same, without a count of references: for the calls that every message makes.
    @inline(__always)
    func unmanagedSeat(of instance: Instance) -> Unmanaged<Seat>? {
        if let presentSeat, presentSeat._withUnsafeGuaranteedRef({ $0.instance === instance }) { return presentSeat }
        return others.first { $0.instance === instance }.map { Unmanaged.passUnretained($0) }
    }

    /// Makes and starts an instance, and gives it the place of the present one, if there is one.
    ///
    /// From the moment of its start the new one is given what is addressed to the provider; the old one is asked to
    /// drain, and goes on with what it holds until ``endLeaving()``. If the new one does not start, the old goes on as if
    /// nothing had been.
    ///
    /// On its loop.
    func seat(
        _ plugin: Plugin,
        _ settings: InstanceSettings,
        _ services: Instance.Services
    ) throws(SeatError) {
        guard others.isEmpty, !isWithdrawing else { throw .busy(provider: name) }
        lastGeneration &+= 1
        let made: Seat
        do throws(InstanceError) {
            let instance = try Instance(
                index: index,
                settings: settings,
                plugin: plugin,
                services: services,
                router: self
            )
            made = Seat(instance, generation: lastGeneration)
            if let old = seat?.instance { instance.inheritListeners(of: old) }
            others.append(made)
            try instance.start()
            instance.inheritListeners(of: nil)
        } catch {
            let failed = lastGeneration
            others = []
            untold.removeAll { $0 == failed }
            core.retainClaims(seat?.claims ?? [], of: index)
            throw .refused(error)
        }
        others = []
        let old = seat
        seat = made
        failure = nil
        wasStopped = false
        // So that whoever waits for the start finds the routes.
        core.publishIfOld()
        if let old, old.instance.state != .stopped { beginLeaving(old) }
        open()
    }

    /// Lets the lane be looked at, and filled from the disk.
    private func open() {
        isOpen.store(true, ordering: .releasing)
        core.spoolWriter?.grantRoom()
        worker.wake()
    }

    // MARK: Giving way

    /// Asks an instance that has a successor to finish.
    ///
    /// Order is kept by parking: the conversations of which the old one still holds something stay on disk until it has
    /// settled that; the spool reads them again then, for the new one. Where nothing is stored, the new one is given
    /// nothing before the old one holds nothing, see ``mayDeliver``.
    private func beginLeaving(_ old: Seat) {
        old.isLeaving = true
        others.append(old)
        resetOffers()
        let now = HostClock.wallMs()
        for envelope in inFlight.envelopes() where envelope.header.pointee.isDurable {
            park(envelope.header.pointee.conversation, key: envelope.conversationKey, until: now)
        }
        old.instance.closeListeners()
        old.instance.drain()
    }

    /// Whether the present instance may be given something, as far as order is concerned.
    var mayDeliver: Bool { others.isEmpty || core.isDurable || others.allSatisfy { $0.heldCount == 0 } }

    /// Whether the instance that gives way has nothing left to do.
    var hasLeft: Bool { others.allSatisfy { $0.heldCount == 0 && $0.instance.isIdle } }

    /// Stops the instance that gives way, and takes back what it has not settled.
    ///
    /// What it held may have reached its network, so it comes marked as redelivered.
    ///
    /// - Returns: how many envelopes were taken back.
    @discardableResult
    func endLeaving() -> Int {
        let leaving = others
        var count = 0
        for old in leaving {
            old.instance.stop()
            count += old.heldCount
            takeBack(from: old, note: "the provider was replaced before it had settled it")
        }
        others = []
        untold.removeAll { generation in leaving.contains { $0.generation == generation } }
        if let seat { core.retainClaims(seat.claims, of: index) }
        worker.wake()
        return count
    }

    /// Takes what a stopped instance had not settled: stored envelopes go back to the disk, messages that are not
    /// stored in front of what waits, and what is of the moment is dropped.
    private func takeBack(from old: Seat, note: String) {
        let now = HostClock.wallMs()
        var again: [RoutedEnvelope] = []
        for (token, envelope) in inFlight.entries() where envelope.header.pointee.holder == old.generation {
            _ = inFlight.remove(token)
            let header = envelope.header
            if header.pointee.isDurable {
                let conversation = header.pointee.conversation
                header.pointee.attempts += 1
                header.pointee.retryAt = now
                envelope.setNote(note)
                header.pointee.step = .defer
                context.sendStep(envelope)
                settledParked(conversation)
            } else if !core.isDurable, envelope.envelope.pointee.kind.isDurableKind {
                envelope.envelope.pointee.flags |= PLUGBOARD_ENVELOPE_REDELIVERED
                again.append(envelope)
            } else {
                counters.droppedKinds.add(envelope.envelope.pointee.kind)
                release(envelope)
            }
        }
        old.heldCount = 0
        again.sort { $0.header.pointee.offer < $1.header.pointee.offer }
        putInFront(again)
    }

    // MARK: The end of a provider

    /// Stops what is left of the instances, and gives up the routes: the spool keeps what is stored for the provider.
    ///
    /// ``close()`` follows when the steps that this makes are sent.
    ///
    /// - Parameter reason: why, for the status and for the authors of what is lost; nil: it is removed.
    func withdraw(because reason: String?) {
        guard !isWithdrawing else { return }
        isWithdrawing = true
        isOpen.store(false, ordering: .releasing)
        endLeaving()
        if let seat {
            seat.instance.stop()
            takeBack(from: seat, note: reason ?? "the provider was removed before it had settled it")
        }
        seat = nil
        untold.removeAll { _ in true }
        // What it refused, it refused for itself alone.
        resetOffers()
        failure = reason
        isRemoved = reason == nil
        wasStopped = reason != nil
        core.retainClaims([], of: index)
    }

    /// Asks the spool's writer to put nothing into the lane any more; ``letGo()`` follows.
    ///
    /// The steps for the spool have to be sent: what was settled must not be read again.
    func close() {
        closing.store(Closing.asked.rawValue, ordering: .releasing)
        if let writer = core.spoolWriter { writer.grantRoom() } else { letGo() }
    }

    /// Lets go of what waits in memory: what is stored is on disk and will be read at the next start.
    ///
    /// On its loop, after the writer has stopped filling the lane.
    func letGo() {
        parked = ParkedConversations()
        let waiting = takeAllWaiting()
        core.grantRoom(lane.takeRoomWaiters())
        for envelope in waiting {
            let isLost = !core.isDurable && envelope.header.pointee.step == .deliver
            guard isLost else {
                release(envelope)
                continue
            }
            giveUp(envelope, step: .bury, FailureReason(removed: name))
        }
        closing.store(Closing.none.rawValue, ordering: .releasing)
        isWithdrawing = false
    }

    /// Gives up the claims that are not among `subjects`.
    func keepClaims(_ subjects: Set<String>) {
        guard let seat else { return }
        seat.claims.formIntersection(subjects)
        core.retainClaims(seat.claims, of: index)
    }

    // MARK: Answers

    /// Tells instances that are not the present one what became of their submits; the present one's stay.
    func tellOthers() {
        for other in others { untold.tell(other.generation) { other.instance.submitted($0) } }
        // Of an instance that is gone nobody waits for an answer.
        let waiting = ([seat].compactMap(\.self) + others).map(\.generation)
        untold.removeAll { !waiting.contains($0) }
    }

    /// Tells every instance that was refused room to try again; false if none was waiting.
    func giveRoom() -> Bool {
        guard isRunning else { return false }
        var didTell = false
        for seat in [seat].compactMap(\.self) + others where seat.isWaitingForRoom {
            seat.isWaitingForRoom = false
            seat.instance.room()
            didTell = true
        }
        return didTell
    }
}

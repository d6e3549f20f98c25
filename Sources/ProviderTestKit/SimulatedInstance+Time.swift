internal import CPlugboard

// Timers, names, chance and the log.

extension SimulatedInstance {
    /// How late a timer may fire, in ns.
    private static let latenessMax: UInt64 = 2_000_000

    func startTimer(
        _ delayMs: UInt64,
        _ user: UnsafeMutableRawPointer?,
        _ result: UnsafeMutablePointer<plugboard_timer_t>
    ) -> plugboard_status_t {
        guard delayMs <= simulation.limits.timerDelayMsMax, timers.count < simulation.limits.timersMax else {
            return PLUGBOARD_E_LIMIT
        }
        let handle = newHandle(.timer)
        simulation.note(.startTimer, self, handle, delayMs)
        timers[handle] = .some(user)
        result.pointee = handle
        // A delay of 0 counts as 1 ms, as with the real host.
        let delay = max(delayMs, 1) * 1_000_000 + simulation.random.pick(0...Self.latenessMax)
        simulation.post(after: delay, isTimer: true) { [weak self] in self?.fire(handle) }
        return PLUGBOARD_OK
    }

    func cancelTimer(_ timer: plugboard_timer_t) -> plugboard_status_t {
        simulation.note(.cancelTimer, self, timer)
        guard timers.removeValue(forKey: timer) != nil else {
            if issued[timer] != .timer { unknown(timer, "cancel_timer") }
            return PLUGBOARD_E_HANDLE
        }
        return PLUGBOARD_OK
    }

    private func fire(_ timer: plugboard_timer_t) {
        guard isActive, let user = timers.removeValue(forKey: timer) else { return }
        simulation.note(.fired, self, timer)
        call { $0.fired($1, timer, user) }
    }

    func fill(_ buffer: UnsafeMutableBufferPointer<UInt8>) {
        simulation.note(.random, self, UInt64(buffer.count))
        for index in buffer.indices { buffer[index] = UInt8(truncatingIfNeeded: simulation.random.next() >> 32) }
    }

    func resolve(
        _ type: UInt32,
        _ name: String,
        _ user: UnsafeMutableRawPointer?,
        _ result: UnsafeMutablePointer<plugboard_query_t>
    ) -> plugboard_status_t {
        guard (PLUGBOARD_RECORD_ADDRESS...PLUGBOARD_RECORD_TXT).contains(type) else { return PLUGBOARD_E_INVALID }
        guard queries.count < simulation.limits.resolutionsMax else { return PLUGBOARD_E_LIMIT }
        let query = newHandle(.query)
        simulation.note(.resolve, self, query, text: name)
        queries.insert(query)
        result.pointee = query
        let answer = simulation.network.answer(type, name)
        simulation.post(after: simulation.random.pick(simulation.network.conditions.delay)) { [weak self] in
            self?.resolved(query, type, user, answer)
        }
        return PLUGBOARD_OK
    }

    private func resolved(
        _ query: UInt64,
        _ type: UInt32,
        _ user: UnsafeMutableRawPointer?,
        _ answer: [SimulatedNetwork.Record]?
    ) {
        guard isActive, queries.remove(query) != nil else { return }
        let found = answer ?? []
        simulation.note(.resolved, self, query, UInt64(found.count))
        lending(found.map(\.value)) { values in
            let records = zip(found, values).map { record, value in
                plugboard_record_t(
                    struct_size: structSize(plugboard_record_t.self),
                    type: type,
                    value: value,
                    port: record.port,
                    priority: record.priority,
                    weight: 0,
                    reserved: 0
                )
            }
            let status = answer == nil ? PLUGBOARD_E_SYSTEM : PLUGBOARD_OK
            records.withUnsafeBufferPointer { records in
                call { $0.resolved($1, query, user, status, records.baseAddress, records.count) }
            }
        }
    }

    func log(_ level: UInt32, _ text: String) {
        simulation.note(.log, self, UInt64(level), text: text)
        guard log.count < Self.logLinesMax else { return }
        let names = ["trace", "debug", "info", "notice", "warning", "error"]
        log.append("\(names[min(Int(level), names.count - 1)]): \(text)")
    }

    /// A handle that was never given out, or is of another kind.
    func unknown(_ handle: UInt64, _ call: String) {
        simulation.violate(
            .unknownHandle,
            "\(call) names 0x\(String(handle, radix: 16)), which the host never gave to this instance for that",
            by: self
        )
    }
}

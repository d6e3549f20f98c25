internal import CPlugboard
package import HostServices
internal import Logging
internal import Telemetry

// The services' answers, turned into calls of the provider table.

extension Instance: StreamDelegate {
    package func accepted(_ stream: StreamHandle, on listener: ListenerHandle) -> Bool {
        watch.enter(.accepted, index)
        defer { watch.leave() }
        guard isActive, let listenerUser = listenerUsers[listener] else { return false }
        var user: UnsafeMutableRawPointer?
        guard calls.table.accepted(calls.pointer, stream.rawValue, listenerUser, &user) == 1 else { return false }
        try? streams.setUser(stream, user)
        openStreams[stream] = true
        return true
    }

    package func opened(_ stream: StreamHandle, tls: TLSInfo?) {
        watch.enter(.opened, index)
        defer { watch.leave() }
        guard isActive else { return }
        let user = streams.user(stream)
        guard let tls else {
            calls.table.opened(calls.pointer, stream.rawValue, user, nil)
            return
        }
        withTexts([tls.version, tls.alpn ?? "", tls.peer?.distrust ?? ""]) { texts in
            let info = plugboard_tls_info_t(
                struct_size: UInt32(MemoryLayout<plugboard_tls_info_t>.size),
                flags: (tls.peerCertificatePresent ? PLUGBOARD_TLS_HAS_CERTIFICATE : 0)
                    | (tls.chainTrusted ? PLUGBOARD_TLS_TRUSTED : 0),
                version: texts[0],
                alpn: texts[1],
                untrusted_reason: texts[2]
            )
            withUnsafePointer(to: info) { calls.table.opened(calls.pointer, stream.rawValue, user, $0) }
        }
    }

    package func received(_ stream: StreamHandle, _ bytes: UnsafeRawBufferPointer) -> Consumption {
        watch.enter(.received, index)
        defer { watch.leave() }
        guard isActive else { return .consumed(bytes.count) }
        wasRefused = false
        let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let taken = calls.table.received(calls.pointer, stream.rawValue, streams.user(stream), start, bytes.count)
        // A count above Int.max shows as a negative one.
        let isPossible = (0...bytes.count).contains(taken)
        if !isPossible { logFault("the plugin says it consumed more bytes than it was given") }
        let consumed = isPossible ? taken : bytes.count
        return wasRefused ? .refused(consumed) : .consumed(consumed)
    }

    package func writable(_ stream: StreamHandle) {
        watch.enter(.writable, index)
        defer { watch.leave() }
        guard isActive else { return }
        calls.table.writable(calls.pointer, stream.rawValue, streams.user(stream))
    }

    package func closed(_ stream: StreamHandle, _ reason: CloseReason) {
        watch.enter(.closed, index)
        defer { watch.leave() }
        guard openStreams.removeValue(forKey: stream) != nil else { return }
        tellClosed(stream, streams.user(stream), reason)
    }

    /// Makes the last call about a stream.
    func tellClosed(_ stream: StreamHandle, _ user: UnsafeMutableRawPointer?, _ reason: CloseReason) {
        withTexts([reason.description]) { texts in
            let closed = plugboard_closed_t(
                struct_size: UInt32(MemoryLayout<plugboard_closed_t>.size),
                cause: reason.cause,
                detail: texts[0]
            )
            withUnsafePointer(to: closed) { calls.table.closed(calls.pointer, stream.rawValue, user, $0) }
        }
    }
}

extension CloseReason {
    /// The cause as the ABI names it.
    fileprivate var cause: UInt32 {
        switch self {
        case .finished, .finishTimedOut, .aborted: PLUGBOARD_CLOSED_BY_US
        case .remoteClosed: PLUGBOARD_CLOSED_BY_PEER
        case .connectionLost: PLUGBOARD_CLOSED_ERROR
        case .unresolved: PLUGBOARD_CLOSED_NAME_FAILED
        case .connectFailed: PLUGBOARD_CLOSED_CONNECT_FAILED
        case .connectTimedOut: PLUGBOARD_CLOSED_TIMEOUT
        case .tlsFailed, .handshakeTimedOut: PLUGBOARD_CLOSED_TLS
        case .protocolViolation, .frameTooLong: PLUGBOARD_CLOSED_PROTOCOL
        }
    }
}

extension Instance: TimerDelegate {
    package func timerFired(_ timer: TimerHandle) {
        watch.enter(.fired, index)
        defer { watch.leave() }
        let user = timerUsers.removeValue(forKey: timer)
        guard isActive else { return }
        calls.table.fired(calls.pointer, timer.rawValue, user)
    }
}

extension Instance: ResolutionDelegate {
    package func resolved(_ resolution: ResolutionHandle, _ result: Result<DNSAnswer, ResolveError>) {
        watch.enter(.resolved, index)
        defer { watch.leave() }
        let user = queryUsers.removeValue(forKey: resolution)
        guard isActive else { return }
        let answer = ResolvedRecords(result)
        withTexts(answer.records.map(\.value)) { values in
            let records = zip(answer.records, values).map { record, value in
                plugboard_record_t(
                    struct_size: UInt32(MemoryLayout<plugboard_record_t>.size),
                    type: record.type,
                    value: value,
                    port: record.port,
                    priority: record.priority,
                    weight: record.weight,
                    reserved: 0
                )
            }
            records.withUnsafeBufferPointer {
                calls.table.resolved(
                    calls.pointer,
                    resolution.rawValue,
                    user,
                    answer.status,
                    $0.baseAddress,
                    $0.count
                )
            }
        }
    }
}

/// An answer of the resolver in the ABI's terms.
private struct ResolvedRecords {
    struct Record {
        var type: UInt32
        var value: String
        var port: UInt16 = 0
        var priority: UInt16 = 0
        var weight: UInt16 = 0
    }

    var status = PLUGBOARD_OK
    var records: [Record] = []

    init(_ result: Result<DNSAnswer, ResolveError>) {
        switch result {
        case .success(.addresses(let addresses)):
            records = addresses.map { Record(type: PLUGBOARD_RECORD_ADDRESS, value: $0.description) }
        case .success(.services(let services)):
            records = services.map {
                Record(
                    type: PLUGBOARD_RECORD_SRV,
                    // Nothing is offered there (RFC 2782).
                    value: $0.target.isEmpty ? "." : $0.target,
                    port: $0.port,
                    priority: $0.priority,
                    weight: $0.weight
                )
            }
        case .success(.texts(let texts)):
            records = texts.map { Record(type: PLUGBOARD_RECORD_TXT, value: String(decoding: $0, as: UTF8.self)) }
        case .failure(let error):
            // A name that has no such record is an answer, not a failure to get one.
            status = error == .notFound ? PLUGBOARD_OK : PLUGBOARD_E_SYSTEM
        }
    }
}

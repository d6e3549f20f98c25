internal import CPlugboard
internal import ProviderKit

/// One HTTP request of an instance on its way to an answer, with the rules of the real host.
final class SimulatedExchange {
    unowned let instance: SimulatedInstance
    let handle: UInt64
    let user: UnsafeMutableRawPointer?
    let isStreaming: Bool
    let answerBytesMax: Int
    /// What is being asked now: a redirect replaces it.
    private(set) var request: HTTPRequest
    private(set) var url: SimulatedURL
    private var redirectsLeft: Int
    private var wasRedirected = false
    private var wasRetried = false

    private var head: WebAnswer?
    private var body: [UInt8] = []
    private var bodyBytes = 0
    /// What the instance has not been told.
    private var untold: [Event] = []
    private var isTellPosted = false
    /// The instance wants nothing for now.
    private(set) var isPaused = false

    private enum Event {
        case head
        case body([UInt8])
        case done
        case failed(cause: UInt32, detail: String)
    }

    init(
        _ instance: SimulatedInstance,
        _ handle: UInt64,
        _ request: HTTPRequest,
        _ url: SimulatedURL,
        _ user: UnsafeMutableRawPointer?,
        isStreaming: Bool
    ) {
        self.instance = instance
        self.handle = handle
        self.request = request
        self.url = url
        self.user = user
        self.isStreaming = isStreaming
        let limits = instance.simulation.limits
        let standard = isStreaming ? limits.httpStreamMax : limits.httpBodyMax
        answerBytesMax = request.answerBytesMax == 0 ? standard : Int(request.answerBytesMax)
        redirectsLeft = Int(request.redirectsMax)
    }

    private var simulation: Simulation { instance.simulation }
    private var isOpen: Bool { instance.exchanges[handle] === self }
    /// Its end is decided, though the instance may not have heard of it.
    private var isOver: Bool {
        switch untold.last {
        case .done?, .failed?: true
        case .head?, .body?, nil: false
        }
    }

    /// Whether the answer waits for an instance that does not read.
    var isHeldBack: Bool { isPaused && !untold.isEmpty }

    /// Begins, with the time that the whole may take.
    func begin() {
        let timeout = request.timeout == 0 ? simulation.limits.httpTimeout : .milliseconds(Int64(request.timeout))
        simulation.post(after: timeout.nanoseconds, isTimer: true) { [weak self] in
            self?.fail(PLUGBOARD_HTTP_TIMEOUT, "no complete answer within \(timeout)")
        }
        send()
    }

    /// Does something after the time of so many segments.
    private func later(_ segments: Int = 1, _ time: Duration = .zero, _ body: @escaping (SimulatedExchange) -> Void) {
        let ways = (0..<segments).map { _ in simulation.random.pick(simulation.network.conditions.delay) }
        simulation.post(after: ways.reduce(time.nanoseconds, +)) { [weak self] in
            guard let self, isOpen, !isOver else { return }
            body(self)
        }
    }

    private func send() {
        later { exchange in
            switch exchange.simulation.network.webServer(exchange.url.origin) {
            case .failed(let cause, let detail): exchange.fail(cause, detail)
            case .connected(let server): exchange.later(2) { $0.arrive(at: server) }
            }
        }
    }

    private func arrive(at server: WebServer) {
        let isKept = instance.keptOrigins.contains(url.origin)
        if isKept, simulation.random.oneIn(simulation.network.conditions.staleOneIn) {
            // The server closed the kept connection while the request was on its way: it has not seen it.
            instance.keptOrigins.remove(url.origin)
            let isIdempotent = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"].contains(request.method)
            guard isIdempotent, !wasRetried else { return fail(PLUGBOARD_HTTP_CLOSED, "closed by the server") }
            wasRetried = true
            return send()
        }
        simulation.note(.webAsked, nil, handle, UInt64(request.body.count))
        var asked = request
        asked.url = url.description
        let answer = server.answer(asked)
        if answer.isSuccess {
            for marker in MarkerScanner.all(in: request.body) { simulation.ledger.arrived(marker, in: simulation) }
        }
        later(1, answer.delay) { $0.answered(answer) }
    }

    private func answered(_ answer: WebAnswer) {
        switch answer.fault {
        case .silence: return
        case .garbage: return fail(PLUGBOARD_HTTP_BAD_ANSWER, "it is no HTTP")
        case .cut(let count) where count < 0: return fail(PLUGBOARD_HTTP_CLOSED, "closed by the server")
        case .cut, nil: break
        }
        let limits = simulation.limits
        let headBytes = answer.fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        guard (200...599).contains(answer.status), answer.fields.count <= limits.httpFieldsMax,
            headBytes <= limits.httpHeadMax
        else { return fail(PLUGBOARD_HTTP_BAD_ANSWER, "its status is \(answer.status), or its head too long") }
        let location = answer.fields.first { $0.name.lowercased() == "location" }?.value
        let isFollowed = request.redirectsMax > 0 && [301, 302, 303, 307, 308].contains(answer.status)
        if isFollowed, let location { return redirect(answer.status, location) }
        head = answer
        if isStreaming { note(.head) }
        take(answer.body[...], of: answer)
    }

    private func redirect(_ status: Int, _ location: String) {
        guard redirectsLeft > 0 else {
            return fail(PLUGBOARD_HTTP_REDIRECT, "there were as many before it as are allowed")
        }
        guard let next = url.resolving(location), next.origin.isSecure || !url.origin.isSecure else {
            return fail(PLUGBOARD_HTTP_REDIRECT, "the place it names is no URL, or leads from https to http")
        }
        redirectsLeft -= 1
        wasRedirected = true
        if next.origin != url.origin {
            request.fields.removeAll { ["authorization", "cookie"].contains($0.name.lowercased()) }
        }
        let becomesGet =
            status == 303 ? request.method != "HEAD" : (status == 301 || status == 302) && request.method == "POST"
        if becomesGet {
            (request.method, request.body) = ("GET", [])
            request.fields.removeAll { $0.name.lowercased().hasPrefix("content-") }
        }
        url = next
        send()
    }

    /// Takes the next piece of the body, and the others after it.
    private func take(_ rest: ArraySlice<UInt8>, of answer: WebAnswer) {
        if case .cut(let count) = answer.fault, bodyBytes >= count {
            return fail(PLUGBOARD_HTTP_CLOSED, "closed by the server")
        }
        guard !rest.isEmpty else {
            instance.keptOrigins.insert(url.origin)
            return note(.done)
        }
        var count = min(answer.pieceBytes ?? rest.count, rest.count)
        if case .cut(let most) = answer.fault { count = min(count, most - bodyBytes) }
        let piece = Array(rest.prefix(count))
        bodyBytes += count
        guard bodyBytes <= answerBytesMax else {
            return fail(PLUGBOARD_HTTP_TOO_LARGE, "the answer's body is longer than \(answerBytesMax) bytes")
        }
        if isStreaming { note(.body(piece)) } else { body += piece }
        let isWhole = answer.pieceBytes == nil && answer.fault == nil
        if isWhole { return take([], of: answer) }
        later(0, answer.pieceDelay) { $0.take(rest.dropFirst(count), of: answer) }
    }

    private func fail(_ cause: UInt32, _ detail: String) {
        guard isOpen, !isOver else { return }
        // A pause holds nothing back that is of no use any more.
        untold = []
        note(.failed(cause: cause, detail: detail))
    }

    // MARK: Telling

    func setReading(_ reading: Bool) {
        isPaused = !reading
        postTell()
    }

    private func note(_ event: Event) {
        untold.append(event)
        postTell()
    }

    private func postTell() {
        guard !isTellPosted, !untold.isEmpty else { return }
        isTellPosted = true
        simulation.post { [weak self] in
            self?.isTellPosted = false
            self?.tell()
        }
    }

    /// Each in an event of its own.
    private func tell() {
        guard instance.isActive, isOpen, let event = untold.first, let events = instance.httpEvents else { return }
        if case .failed(let cause, let detail) = event { return tellFailure(cause, detail, events) }
        guard !isPaused, let head else { return }
        untold.removeFirst()
        switch event {
        case .head:
            simulation.note(.webHead, instance, handle, UInt64(head.status))
            lend(head, []) { answer in instance.call { events.head($1, handle, user, answer) } }
        case .body(let bytes):
            simulation.note(.webBody, instance, handle, UInt64(bytes.count))
            bytes.withUnsafeBufferPointer { bytes in
                instance.call { events.body($1, handle, user, bytes.baseAddress, bytes.count) }
            }
        case .done:
            instance.exchanges[handle] = nil
            simulation.note(.webDone, instance, handle, UInt64(head.status))
            if head.isSuccess { simulation.ledger.told(body) }
            lend(head, body) { answer in instance.call { events.done($1, handle, user, answer, nil) } }
        case .failed: break
        }
        postTell()
    }

    private func tellFailure(_ cause: UInt32, _ detail: String, _ events: plugboard_http_events_t) {
        instance.exchanges[handle] = nil
        untold = []
        simulation.note(.webFailed, instance, handle, UInt64(cause))
        lending(detail) { detail in
            let failure = plugboard_http_failure_t(
                struct_size: structSize(plugboard_http_failure_t.self),
                cause: cause,
                detail: detail
            )
            withUnsafePointer(to: failure) { failure in
                instance.call { events.done($1, handle, user, nil, failure) }
            }
        }
    }

    private func lend(_ head: WebAnswer, _ body: [UInt8], _ tell: (UnsafePointer<plugboard_http_answer_t>) -> Void) {
        lending([url.description] + head.fields.flatMap { [$0.name, $0.value] }) { texts in
            let fields = head.fields.indices.map { index in
                plugboard_http_field_t(
                    struct_size: structSize(plugboard_http_field_t.self),
                    reserved: 0,
                    name: texts[1 + 2 * index],
                    value: texts[2 + 2 * index]
                )
            }
            fields.withUnsafeBufferPointer { fields in
                body.withUnsafeBufferPointer { bytes in
                    let answer = plugboard_http_answer_t(
                        struct_size: structSize(plugboard_http_answer_t.self),
                        status: UInt32(head.status),
                        url: texts[0],
                        fields: fields.baseAddress,
                        field_count: fields.count,
                        body: plugboard_bytes_t(start: bytes.baseAddress, count: bytes.count)
                    )
                    withUnsafePointer(to: answer, tell)
                }
            }
        }
    }
}

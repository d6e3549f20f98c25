import CPlugboard
import IMModel

/// Calls of the host, each noted with what it answered.
extension Probe {
    /// Calls the host's table.
    func call<R>(_ body: (plugboard_host_t, UnsafeMutableRawPointer?) -> R) -> R {
        guard let host else { preconditionFailure("the probe has been created") }
        let wasCalling = isCallingHost
        isCallingHost = true
        defer { isCallingHost = wasCalling }
        return body(host.pointee, host.pointee.context)
    }

    /// Calls a table of one of the host's extensions.
    func withExtension<Table, R>(_ id: String, as type: Table.Type, _ body: (Table, UnsafeMutableRawPointer?) -> R) -> R
    {
        call { host, context in
            guard let found = host.extension(context, id) else { preconditionFailure("the host has \(id)") }
            return body(found.load(as: Table.self), context)
        }
    }

    // MARK: Envelopes

    /// Submits a message of `romeo` on the probe's network to `alice` at home, changed as wanted.
    func submit(
        _ what: String,
        cookie: UInt64 = 0,
        _ change: (inout plugboard_envelope_t, Arena) -> Void = { _, _ in }
    ) {
        var message = plugboard_message_t()
        message.struct_size = structSize(plugboard_message_t.self)
        message.text = arena.text(what)
        var envelope = plugboard_envelope_t()
        envelope.struct_size = structSize(plugboard_envelope_t.self)
        envelope.kind = PLUGBOARD_MESSAGE
        envelope.from = arena.text("romeo@\(domain)")
        envelope.to = arena.text("alice@home.example")
        envelope.content = UnsafeRawPointer(arena.put(message))
        change(&envelope, arena)
        note("submit \(what)", call { $0.submit($1, &envelope, cookie) })
    }

    /// Settles an envelope by its text, or a token by its number.
    func complete(_ text: String, _ result: UInt16, _ change: (inout plugboard_outcome_t) -> Void = { _ in }) {
        var outcome = plugboard_outcome_t()
        outcome.struct_size = structSize(plugboard_outcome_t.self)
        outcome.result = result
        outcome.failure_class = result == PLUGBOARD_DELIVERED ? PLUGBOARD_CLASS_NONE : PLUGBOARD_CLASS_TRANSIENT
        change(&outcome)
        let token = tokens[text] ?? UInt64(text) ?? 0
        note("complete \(text) with \(result)", call { $0.complete($1, token, &outcome) })
    }

    func claim(_ scope: UInt32, _ subject: String) {
        note("claim \(scope) \(subject.prefix(40))", call { $0.claim($1, scope, arena.text(subject)) })
    }

    func ready() {
        call { $0.ready($1) }
        note("ready", gave: "nothing")
    }

    /// Has a home user send messages with these texts to the probe's network.
    func ask(for texts: [String]) {
        guard let from = Address("alice@home.example"), let to = Address("romeo@\(domain)") else { return }
        world.send(texts.map { Envelope(from: from, to: to, content: .message(Message(text: $0))) }, to: self)
    }

    // MARK: Streams

    /// Connects to a port of this machine, changed as wanted.
    ///
    /// A success is called `s1`, `s2`, and so on.
    @discardableResult
    func connect(_ port: UInt16, _ change: (inout plugboard_connect_options_t, Arena) -> Void = { _, _ in }) -> String {
        var options = plugboard_connect_options_t()
        options.struct_size = structSize(plugboard_connect_options_t.self)
        options.host = arena.text("127.0.0.1")
        options.port = port
        change(&options, arena)
        var stream: UInt64 = 0
        let user = "s\(handles.keys.count { $0.hasPrefix("s") } + 1)"
        let status = call { $0.connect($1, &options, Probe.pointer(user), &stream) }
        let name = status == PLUGBOARD_OK ? issue("s", stream) : "none"
        note("connect \(name)", status)
        return name
    }

    /// Listens on a free port of this machine, changed as wanted.
    ///
    /// A success is called `l1`, `l2`, and so on.
    @discardableResult
    func listen(_ change: (inout plugboard_listen_options_t, Arena) -> Void = { _, _ in }) -> UInt16 {
        var options = plugboard_listen_options_t()
        options.struct_size = structSize(plugboard_listen_options_t.self)
        options.address = arena.text("127.0.0.1")
        change(&options, arena)
        var (listener, port) = (UInt64(0), UInt16(0))
        let status = call { $0.listen($1, &options, Probe.pointer("here"), &listener, &port) }
        note("listen \(status == PLUGBOARD_OK ? issue("l", listener) : "none")", status)
        return port
    }

    func closeListener(_ listener: String) {
        note("close_listener \(listener)", call { $0.close_listener($1, handle(listener)) })
    }

    func write(_ stream: String, _ text: String) {
        let span = arena.text(text)
        note("write \(stream) \(text.prefix(20))", call { $0.write($1, handle(stream), span) })
    }

    func setReading(_ stream: String, _ reading: UInt32) {
        note("set_reading \(stream) \(reading)", call { $0.set_reading($1, handle(stream), reading) })
    }

    func finish(_ stream: String) { note("finish \(stream)", call { $0.finish($1, handle(stream)) }) }

    func abort(_ stream: String) { note("abort \(stream)", call { $0.abort($1, handle(stream)) }) }

    /// Closes what may be open, and notes nothing: which that is, is not the question.
    func abortAll() {
        for (name, handle) in handles where name.hasPrefix("s") || name.hasPrefix("a") {
            guard record.count("\(name) closed") == 0, record.count("calls abort \(name)") == 0 else { continue }
            _ = call { $0.abort($1, handle) }
        }
    }

    func startTLS(_ stream: String, _ change: (inout plugboard_tls_options_t, Arena) -> Void = { _, _ in }) {
        var options = plugboard_tls_options_t()
        options.struct_size = structSize(plugboard_tls_options_t.self)
        options.verification = PLUGBOARD_TLS_VERIFY_RECORD
        change(&options, arena)
        note("start_tls \(stream)", call { $0.start_tls($1, handle(stream), &options) })
    }

    func certificateMatches(_ stream: String) {
        let domain = arena.text("example.org")
        note("certificate_matches \(stream)", call { $0.certificate_matches($1, handle(stream), domain, .none) })
    }

    /// Notes the address without its port.
    func peerAddress(_ stream: String, room: Int = 64) {
        var buffer = [UInt8](repeating: 0, count: 64)
        let status = call { $0.peer_address($1, handle(stream), &buffer, room) }
        let text = String(decoding: buffer.prefix(Int(max(status, 0))), as: UTF8.self)
        let host = text.lastIndex(of: ":").map { text[...$0] } ?? "empty"
        note("peer_address \(stream)", gave: status < 0 ? statusName(status) : "\(host)")
    }

    // MARK: Names and time

    /// Starts a timer, which is called by its user.
    func startTimer(_ delay: UInt64, user: String) {
        var timer: UInt64 = 0
        let status = call { $0.start_timer($1, delay, Probe.pointer(user), &timer) }
        note("start_timer \(user) \(status == PLUGBOARD_OK ? issue("t", timer) : "none")", status)
    }

    func cancelTimer(_ timer: String) {
        note("cancel_timer \(timer)", call { $0.cancel_timer($1, handle(timer)) })
    }

    /// Looks a name up.
    ///
    /// A success is called `q1`, `q2`, and so on.
    func resolve(_ type: UInt32, _ host: String) {
        var query: UInt64 = 0
        let status = call { $0.resolve($1, type, arena.text(host), Probe.pointer("user"), &query) }
        note("resolve \(host.prefix(40)) \(status == PLUGBOARD_OK ? issue("q", query) : "none")", status)
    }
}

import CPlugboard

/// HTTP, datagrams and metrics.
extension Probe {
    static func httpEvents() -> plugboard_http_events_t {
        var table = plugboard_http_events_t()
        table.struct_size = structSize(plugboard_http_events_t.self)
        table.head = { pointer, id, user, answer in
            let probe = Probe.from(pointer)
            guard let answer else { return }
            probe.heard(probe.name("h", id), "head \(Probe.text(user)) \(probe.text(of: answer.pointee))")
        }
        table.body = { pointer, id, user, bytes, count in
            let probe = Probe.from(pointer)
            let text = String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
            probe.heard(probe.name("h", id), "body \(Probe.text(user)) ", more: text)
        }
        table.done = { pointer, id, user, answer, failure in
            let probe = Probe.from(pointer)
            let text = answer.map { probe.text(of: $0.pointee) } ?? "nothing"
            let cause = failure.map { "failed with cause \($0.pointee.cause)" } ?? "in full"
            probe.heard(probe.name("h", id), "done \(Probe.text(user)) \(cause): \(text)")
        }
        return table
    }

    /// An answer, with the server's port made the same in every world.
    private func text(of answer: plugboard_http_answer_t) -> String {
        let fields = UnsafeBufferPointer(start: answer.fields, count: answer.field_count)
            .map { "\($0.name.text): \($0.value.text)" }.joined(separator: ", ")
        let url = answer.url.text.split(separator: ":\(world.webPort)", omittingEmptySubsequences: false)
        return "\(answer.status) \(url.joined(separator: ":web")) [\(fields)] \(answer.body.text)"
    }

    /// Asks the world's web server, changed as wanted.
    ///
    /// A success is called `h1`, `h2`, and so on.
    func request(_ path: String, _ change: (inout plugboard_http_request_t, Arena) -> Void = { _, _ in }) {
        var request = plugboard_http_request_t()
        request.struct_size = structSize(plugboard_http_request_t.self)
        request.method = arena.text("GET")
        request.url = arena.text("http://127.0.0.1:\(world.webPort)\(path)")
        change(&request, arena)
        var id: UInt64 = 0
        let status = withExtension(PLUGBOARD_EXT_HTTP, as: plugboard_http_t.self) {
            $0.request($1, &request, Probe.pointer("x"), &id)
        }
        note("request \(path) \(status == PLUGBOARD_OK ? issue("h", id) : "none")", status)
    }

    func cancel(_ request: String) {
        let status = withExtension(PLUGBOARD_EXT_HTTP, as: plugboard_http_t.self) { $0.cancel($1, handle(request)) }
        note("cancel \(request)", status)
    }

    func setReadingOfAnswer(_ request: String, _ reading: UInt32) {
        let status = withExtension(PLUGBOARD_EXT_HTTP, as: plugboard_http_t.self) {
            $0.set_reading($1, handle(request), reading)
        }
        note("http.set_reading \(request) \(reading)", status)
    }

    // MARK: Datagrams

    static func udpEvents() -> plugboard_udp_events_t {
        var table = plugboard_udp_events_t()
        table.struct_size = structSize(plugboard_udp_events_t.self)
        table.received = { pointer, socket, user, datagrams, count in
            let probe = Probe.from(pointer)
            for datagram in UnsafeBufferPointer(start: datagrams, count: count) {
                let line = "datagram \(Probe.text(user)) from \(datagram.address.text): \(datagram.payload.text)"
                probe.heard(probe.name("u", socket), line)
            }
        }
        table.closed = { pointer, socket, user, _ in
            let probe = Probe.from(pointer)
            probe.heard(probe.name("u", socket), "closed \(Probe.text(user))")
        }
        return table
    }

    /// Binds a free port of this machine, changed as wanted.
    ///
    /// A success is called `u1`, `u2`, and so on.
    @discardableResult
    func bind(_ change: (inout plugboard_udp_options_t, Arena) -> Void = { _, _ in }) -> UInt16 {
        var options = plugboard_udp_options_t()
        options.struct_size = structSize(plugboard_udp_options_t.self)
        options.address = arena.text("127.0.0.1")
        change(&options, arena)
        var (socket, port) = (UInt64(0), UInt16(0))
        let status = withExtension(PLUGBOARD_EXT_UDP, as: plugboard_udp_t.self) {
            $0.bind($1, &options, Probe.pointer("x"), &socket, &port)
        }
        note("bind \(status == PLUGBOARD_OK ? issue("u", socket) : "none")", status)
        return port
    }

    /// Sends so many copies of a text, each changed as wanted.
    func send(
        _ socket: String,
        _ text: String,
        to port: UInt16,
        count: Int = 1,
        _ change: (inout plugboard_datagram_t, Arena) -> Void = { _, _ in }
    ) {
        var datagram = plugboard_datagram_t()
        datagram.struct_size = structSize(plugboard_datagram_t.self)
        datagram.port = port
        datagram.address = arena.text("127.0.0.1")
        datagram.payload = arena.text(text)
        change(&datagram, arena)
        let all = arena.put([plugboard_datagram_t](repeating: datagram, count: count))
        let status = withExtension(PLUGBOARD_EXT_UDP, as: plugboard_udp_t.self) {
            $0.send($1, handle(socket), all, count)
        }
        note("send \(socket) \(text.prefix(20))", gave: status > 0 ? "\(status) taken" : statusName(status))
    }

    func closeSocket(_ socket: String) {
        let status = withExtension(PLUGBOARD_EXT_UDP, as: plugboard_udp_t.self) { $0.close($1, handle(socket)) }
        note("close \(socket)", status)
    }

    func counters(_ socket: String, size: UInt32 = structSize(plugboard_udp_counters_t.self)) {
        var counters = plugboard_udp_counters_t()
        counters.struct_size = size
        let status = withExtension(PLUGBOARD_EXT_UDP, as: plugboard_udp_t.self) {
            $0.counters($1, handle(socket), &counters)
        }
        let numbers = "\(counters.received) \(counters.received_lost) \(counters.sent) \(counters.sent_lost)"
        note("counters \(socket) \(numbers)", status)
    }

    // MARK: Metrics

    /// Declares a counter, changed as wanted.
    ///
    /// A success is called `m1`, `m2`, and so on.
    func declare(_ name: String, _ change: (inout plugboard_metric_declaration_t, Arena) -> Void = { _, _ in }) {
        var declaration = plugboard_metric_declaration_t()
        declaration.struct_size = structSize(plugboard_metric_declaration_t.self)
        declaration.kind = PLUGBOARD_METRIC_COUNTER
        declaration.name = arena.text(name)
        declaration.help = arena.text("What is counted.")
        change(&declaration, arena)
        var metric: UInt64 = 0
        let status = withExtension(PLUGBOARD_EXT_METRICS, as: plugboard_metrics_t.self) {
            $0.declare($1, &declaration, &metric)
        }
        note("declare \(name.prefix(20)) \(status == PLUGBOARD_OK ? issue("m", metric) : "none")", status)
    }

    /// Finds a series.
    ///
    /// A success is called `v1`, `v2`, and so on.
    func series(_ metric: String, _ values: [String]) {
        let spans = arena.put(values.map { arena.text($0) })
        var series: UInt64 = 0
        let status = withExtension(PLUGBOARD_EXT_METRICS, as: plugboard_metrics_t.self) {
            $0.series($1, handle(metric), spans, values.count, &series)
        }
        let known = name("v", series)
        let word = status != PLUGBOARD_OK ? "none" : known.hasPrefix("unknown") ? issue("v", series) : known
        note("series \(metric) \(word)", status)
    }

    func add(_ series: String, _ amount: Double) {
        let status = withExtension(PLUGBOARD_EXT_METRICS, as: plugboard_metrics_t.self) {
            $0.add($1, handle(series), amount)
        }
        note("add \(series) \(amount)", status)
    }

    func recordValue(_ series: String, _ value: Double) {
        let status = withExtension(PLUGBOARD_EXT_METRICS, as: plugboard_metrics_t.self) {
            $0.record($1, handle(series), value)
        }
        note("record \(series) \(value)", status)
    }
}

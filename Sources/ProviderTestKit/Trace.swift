/// What happened, as numbers: the last events in full, and a hash of all of them.
///
/// Nothing that differs from process to process (addresses, hash orders) may come in.
struct Trace {
    /// The kinds of events; `a` and `b` of an event are what its sentence says.
    enum Kind: UInt8 {
        case create, start, started, drain, stop, stopped, destroy
        case deliver, taken, complete, submit, submitAnswer, submitted, room, ready, claim
        case connect, listen, closeListener, accepted, opened, received, consumed, writable, closed
        case write, writeAnswer, setReading, finish, abort, startTLS
        case resolve, resolved, startTimer, cancelTimer, fired, random, log
        case peerOpened, peerReceived, peerWrote, peerClosed, fault
        case storeAsked, storeDone
        case bind, closeSocket, socketClosed, sendDatagrams, datagramsTold, datagramLost
        case webRequest, webAsked, webHead, webBody, webDone, webFailed, webCancelled
        case takenBack, replaced
        case accountsFollowed, accountsLinked, accountChanged, accountUnlinked, passwordAsked, passwordTold
    }

    struct Event {
        var at: UInt64
        var instance: Int
        var kind: Kind
        var a: UInt64
        var b: UInt64
        var text: String?
    }

    /// Events that a report shows.
    static let eventsMax = 60

    private var ring: [Event] = []
    private var next = 0
    /// How many there were.
    private(set) var count = 0
    /// Follows from every event.
    private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func note(_ event: Event) {
        mix(event.at)
        mix(UInt64(event.kind.rawValue) << 32 | UInt64(UInt32(truncatingIfNeeded: event.instance)))
        mix(event.a)
        mix(event.b)
        count += 1
        if ring.count < Self.eventsMax {
            ring.append(event)
        } else {
            ring[next] = event
            next = (next + 1) % Self.eventsMax
        }
    }

    /// Mixes bytes into the hash, which no event shows.
    mutating func mix(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while rest.count >= 8 {
            mix(UnsafeRawBufferPointer(rebasing: rest).loadUnaligned(as: UInt64.self))
            rest = rest.dropFirst(8)
        }
        for byte in rest { mix(UInt64(byte)) }
    }

    private mutating func mix(_ value: UInt64) {
        hash = (hash ^ value) &* 0x0000_0100_0000_01B3
        hash ^= hash >> 29
    }

    /// The last events, the oldest first.
    var last: [Event] { Array(ring[next...] + ring[..<next]) }
}

extension Trace.Event {
    /// For a report: `12.003000 s  echo  write 57 bytes to stream 3`.
    func line(_ names: [String]) -> String {
        let name = names.indices.contains(instance) ? names[instance] : "network"
        return "\(Self.seconds(at))  \(name)  \(sentence)"
    }

    static func seconds(_ nanoseconds: UInt64) -> String {
        let micro = String(nanoseconds / 1000 % 1_000_000)
        return "\(nanoseconds / 1_000_000_000)." + String(repeating: "0", count: 6 - micro.count) + micro + " s"
    }

    private var sentence: String {
        switch kind {
        case .create: "create()"
        case .start: "start()"
        case .started: "start() returned \(signed(a))"
        case .drain: "drain()"
        case .stop: "stop()"
        case .stopped: "stop() returned"
        case .destroy: "destroy()"
        case .deliver: "deliver() of \(a) envelopes, the first has token \(b)"
        case .taken: "deliver() took \(a)"
        case .complete: "  complete token \(a) with result \(b)"
        case .submit: "  submit with cookie \(a)"
        case .submitAnswer: "  submit answered \(signed(a))"
        case .submitted: "submitted() of \(a) answers"
        case .room: "room()"
        case .ready: "  ready"
        case .claim: "  claim \(text ?? ""): \(signed(a))"
        case .connect: "  connect to \(text ?? ""): stream \(a)"
        case .listen: "  listen on port \(b): listener \(a)"
        case .closeListener: "  close_listener \(a)"
        case .accepted: "accepted() stream \(a) returned \(b)"
        case .opened: "opened() stream \(a)\(b == 1 ? " with TLS" : "")"
        case .received: "received() on stream \(a): \(b) bytes"
        case .consumed: "received() consumed \(a)"
        case .writable: "writable() stream \(a)"
        case .closed: "closed() stream \(a), cause \(b)"
        case .write: "  write \(b) bytes to stream \(a)"
        case .writeAnswer: "  write answered \(signed(a))"
        case .setReading: "  set_reading \(b) of stream \(a)"
        case .finish: "  finish stream \(a)"
        case .abort: "  abort stream \(a)"
        case .startTLS: "  start_tls on stream \(a)"
        case .resolve: "  resolve \(text ?? ""): query \(a)"
        case .resolved: "resolved() query \(a): \(b) records"
        case .startTimer: "  start_timer \(a) for \(b) ms"
        case .cancelTimer: "  cancel_timer \(a)"
        case .fired: "fired() timer \(a)"
        case .random: "  random \(a) bytes"
        case .log: "  log: \(text ?? "")"
        case .storeAsked: "  store request \(a)"
        case .storeDone: "done() of store request \(a): \(b) entries"
        case .bind: "  bind to port \(b): socket \(a)"
        case .closeSocket: "  close socket \(a)"
        case .socketClosed: "closed() socket \(a)"
        case .sendDatagrams: "  send \(b) datagrams from socket \(a)"
        case .datagramsTold: "received() on socket \(a): \(b) datagrams"
        case .datagramLost: "a datagram of \(a) bytes is lost"
        case .webRequest: "  \(text ?? ""): request \(a)"
        case .webAsked: "a web server gets request \(a) with \(b) bytes"
        case .webHead: "head() of request \(a): \(b)"
        case .webBody: "body() of request \(a): \(b) bytes"
        case .webDone: "done() of request \(a): \(b)"
        case .webFailed: "done() of request \(a): failed with cause \(b)"
        case .webCancelled: "  cancel request \(a)"
        case .takenBack: "the router takes back token \(a)"
        case .accountsFollowed: "  follow accounts"
        case .accountsLinked: "linked() of \(a) accounts\(b == 1 ? ", the last of the list" : "")"
        case .accountChanged: "changed() of account \(a)"
        case .accountUnlinked: "unlinked() of account \(a)"
        case .passwordAsked: "  password request \(a)"
        case .passwordTold: "password() of request \(a)"
        case .replaced: "a state that waits is replaced by a newer one"
        case .peerOpened: "peer \(a) is connected"
        case .peerReceived: "peer \(a) reads \(b) bytes"
        case .peerWrote: "peer \(a) writes \(b) bytes"
        case .peerClosed: "peer \(a) is disconnected"
        case .fault: "fault: \(text ?? "") at network step \(a)"
        }
    }

    private func signed(_ value: UInt64) -> String { String(Int64(bitPattern: value)) }
}

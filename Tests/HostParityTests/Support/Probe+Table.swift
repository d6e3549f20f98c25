import CPlugboard

extension Probe {
    /// The table of every probe.
    static var provider: plugboard_provider_t {
        var table = plugboard_provider_t()
        table.struct_size = structSize(plugboard_provider_t.self)
        addLife(&table)
        addEnvelopes(&table)
        addStreams(&table)
        table.resolved = { pointer, query, user, status, records, count in
            let probe = Probe.from(pointer)
            let answers = UnsafeBufferPointer(start: records, count: count).map { "\($0.value.text):\($0.port)" }
            let texts = answers.sorted().joined(separator: " ")
            probe.heard(probe.name("q", query), "resolved \(Probe.text(user)) \(statusName(status)) \(texts)")
        }
        table.fired = { pointer, _, user in Probe.from(pointer).heard("timer \(Probe.text(user))", "fired") }
        table.extension = { pointer, id in
            guard let id else { return nil }
            return Probe.from(pointer).events(String(cString: id))
        }
        return table
    }

    private static func addLife(_ table: inout plugboard_provider_t) {
        table.start = { pointer in
            Probe.from(pointer).heard("life", "start")
            Probe.from(pointer).begin()
            return PLUGBOARD_OK
        }
        table.drain = { pointer in
            Probe.from(pointer).heard("life", "drain")
            Probe.from(pointer).use.inDrain(.from(pointer))
        }
        table.stop = { pointer in
            Probe.from(pointer).heard("life", "stop")
            Probe.from(pointer).use.inStop(.from(pointer))
        }
        table.destroy = { pointer in
            Probe.from(pointer).heard("life", "destroy")
            Probe.from(pointer).use.inDestroy(.from(pointer))
        }
    }

    private static func addEnvelopes(_ table: inout plugboard_provider_t) {
        table.deliver = { pointer, envelopes, count in
            let probe = Probe.from(pointer)
            var texts: [String] = []
            for case let envelope? in UnsafeBufferPointer(start: envelopes, count: count) {
                let text = Probe.text(of: envelope.pointee)
                probe.tokens[text] = envelope.pointee.token
                let isAgain = envelope.pointee.flags & PLUGBOARD_ENVELOPE_REDELIVERED != 0
                texts.append(text)
                probe.heard("envelope \(text)", isAgain ? "offered again" : "offered")
            }
            return probe.onDeliver(probe, texts)
        }
        table.submitted = { pointer, results, count in
            for result in UnsafeBufferPointer(start: results, count: count) {
                let outcome = result.outcome.pointee
                let line = "submitted: result \(outcome.result), class \(outcome.failure_class), \(outcome.code.text)"
                Probe.from(pointer).heard("cookie \(result.cookie)", line)
            }
        }
        table.room = { Probe.from($0).heard("life", "room") }
    }

    private static func addStreams(_ table: inout plugboard_provider_t) {
        table.accepted = { pointer, stream, listenerUser, user in
            let probe = Probe.from(pointer)
            let name = probe.issue("a", stream)
            user?.pointee = Probe.pointer(name)
            probe.heard(name, "accepted by \(Probe.text(listenerUser))")
            let isKept = probe.onAccepted(probe, name)
            if isKept == 0 { probe.heard(name, "closed, for it was not kept") }
            return isKept
        }
        table.opened = { pointer, stream, user, tls in
            let probe = Probe.from(pointer)
            probe.heard(probe.streamName(stream), "opened \(Probe.text(user))\(tls == nil ? "" : " with TLS")")
        }
        table.received = { pointer, stream, user, bytes, count in
            let probe = Probe.from(pointer)
            let name = probe.streamName(stream)
            let offered = Array(UnsafeBufferPointer(start: bytes, count: count))
            let consumed = probe.onReceived(probe, name, offered)
            let text = String(decoding: offered.prefix(max(consumed, 0)), as: UTF8.self)
            if !text.isEmpty { probe.heard(name, "received \(Probe.text(user)) ", more: text) }
            return consumed
        }
        table.writable = { pointer, stream, user in
            let probe = Probe.from(pointer)
            probe.heard(probe.streamName(stream), "writable \(Probe.text(user))")
        }
        table.closed = { pointer, stream, user, reason in
            let probe = Probe.from(pointer)
            let name = probe.streamName(stream)
            probe.heard(name, "closed \(Probe.text(user)) cause \(reason?.pointee.cause ?? 0)")
        }
    }

    /// The name of a stream, connected or accepted.
    private func streamName(_ stream: UInt64) -> String {
        let connected = name("s", stream)
        return connected.hasPrefix("unknown") ? name("a", stream) : connected
    }

    /// A word, such as `s1` or `x`, as a pointer of the plugin's own: nothing is behind it.
    static func pointer(_ word: String) -> UnsafeMutableRawPointer? {
        let bits = word.utf8.prefix(7).reduce(UInt(0)) { $0 << 8 | UInt($1) }
        return UnsafeMutableRawPointer(bitPattern: bits)
    }

    /// The word of a pointer.
    static func text(_ pointer: UnsafeMutableRawPointer?) -> String {
        var bits = UInt(bitPattern: pointer)
        var bytes: [UInt8] = []
        while bits > 0 {
            bytes.insert(UInt8(bits & 0xFF), at: 0)
            bits >>= 8
        }
        return bytes.isEmpty ? "-" : String(decoding: bytes, as: UTF8.self)
    }

    /// A message's text; of other kinds the kind.
    private static func text(of envelope: plugboard_envelope_t) -> String {
        guard envelope.kind == PLUGBOARD_MESSAGE, let content = envelope.content else { return "kind \(envelope.kind)" }
        return content.load(as: plugboard_message_t.self).text.text
    }
}

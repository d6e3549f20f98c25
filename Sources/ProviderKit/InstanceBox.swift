internal import CPlugboard

/// One instance behind the ABI: turns the provider table's C calls into calls of a ``Provider``.
///
/// The host owns the one reference that create() handed out, until destroy().
final class InstanceBox {
    let host: Host
    let provider: any Provider

    init(host: Host, provider: any Provider) {
        self.host = host
        self.provider = provider
    }

    /// The table that all instances of all Swift providers share.
    static var table: plugboard_provider_t {
        plugboard_provider_t(
            struct_size: structSize(plugboard_provider_t.self),
            reserved: 0,
            start: { box($0).start() },
            drain: { box($0).provider.drain() },
            stop: { box($0).provider.stop() },
            destroy: { pointer in
                guard let pointer else { return }
                Unmanaged<InstanceBox>.fromOpaque(pointer).takeRetainedValue().host.forgetAll()
            },
            deliver: { box($0).deliver(UnsafeBufferPointer(start: $1, count: $2)) },
            submitted: { box($0).submitted($1, $2) },
            room: { box($0).provider.room() },
            accepted: { box($0).accepted($1, by: $2, user: $3) },
            opened: { _, _, user, tls in
                guard let box = StreamBox.from(user), let stream = box.stream else { return }
                box.session.opened(stream, tls: tls.map { TLSInfo($0.pointee) })
            },
            received: { _, _, user, bytes, count in
                guard let box = StreamBox.from(user), let stream = box.stream else { return count }
                var input = ByteReader(UnsafeRawBufferPointer(start: bytes, count: count))
                box.session.received(&input, on: stream)
                return input.position
            },
            writable: { _, _, user in
                guard let box = StreamBox.from(user), let stream = box.stream else { return }
                box.session.writable(stream)
            },
            closed: { _, _, user, reason in
                guard let box = StreamBox.from(user) else { return }
                if let stream = box.stream { box.session.closed(stream, reason: CloseReason(reason)) }
                box.release()
            },
            resolved: { box($0).resolved($1, status: $3, elements($4, $5)) },
            fired: { instance, timer, _ in box(instance).host.fired(timer) },
            extension: { _, id in
                guard let id else { return nil }
                let name = String(cString: id)
                switch name {
                case PLUGBOARD_EXT_COMMANDS: return UnsafeRawPointer(CommandsExtension.table)
                case PLUGBOARD_EXT_HOMES: return UnsafeRawPointer(InstanceBox.homesTable)
                case PLUGBOARD_EXT_STATUS: return UnsafeRawPointer(InstanceBox.statusTable)
                default: return InstanceBox.events(name)
                }
            }
        )
    }

    /// Safe to share: immortal, and never written after this initialiser.
    private nonisolated(unsafe) static let statusTable: UnsafePointer<plugboard_status_extension_t> = {
        let table = UnsafeMutablePointer<plugboard_status_extension_t>.allocate(capacity: 1)
        table.initialize(
            to: plugboard_status_extension_t(
                struct_size: structSize(plugboard_status_extension_t.self),
                reserved: 0,
                links: { instance, sink, report in
                    guard let report else { return }
                    for link in box(instance).provider.links() { link.withABI { report(sink, $0) } }
                }
            )
        )
        return UnsafePointer(table)
    }()

    /// Safe to share: immortal, and never written after this initialiser.
    private nonisolated(unsafe) static let homesTable = immortal(
        plugboard_homes_extension_t(
            struct_size: structSize(plugboard_homes_extension_t.self),
            reserved: 0,
            changed: { instance, domains, count in
                let names = UnsafeBufferPointer(start: domains, count: count).map(\.string)
                return box(instance).provider.homeDomainsChanged(to: names) ? PLUGBOARD_OK : PLUGBOARD_E_INVALID
            }
        )
    )

    /// The instance that the host means.
    static func from(_ pointer: UnsafeMutableRawPointer?) -> InstanceBox { box(pointer) }

    /// Carries out the command at a place in the descriptor.
    func call(_ command: Int, _ arguments: [CommandArgument]) {
        let commands = type(of: provider).descriptor.commands
        guard commands.indices.contains(command) else { return host.failCommand("there is no such command") }
        do {
            guard let answer = try commands[command].run(provider, arguments) else { return }
            host.answerCommand(answer)
        } catch {
            host.failCommand("\(error)")
        }
    }

    private func start() -> plugboard_status_t {
        do {
            try provider.start()
            return PLUGBOARD_OK
        } catch {
            host.log(.error, "the provider cannot start", [.reason: "\(error)"])
            return PLUGBOARD_E_INVALID
        }
    }

    private func deliver(_ envelopes: UnsafeBufferPointer<UnsafePointer<plugboard_envelope_t>?>) -> Int {
        for index in envelopes.indices {
            guard let pointer = envelopes[index] else { continue }
            let delivery = LentDelivery(envelope: EnvelopeView(pointer), token: pointer.pointee.token, host: host)
            guard provider.deliver(lent: delivery) else { return index }
        }
        return envelopes.count
    }

    private func submitted(_ results: UnsafePointer<plugboard_submitted_t>?, _ count: Int) {
        forEachElement(results, count) { result in
            guard let outcome = result.outcome else { return }
            // The common case needs no strings.
            let copy = outcome.pointee.result == PLUGBOARD_ACCEPTED ? Outcome.accepted : Outcome(outcome.pointee)
            if result.cookie > Host.tagMax {
                host.submitted(result.cookie, copy)
            } else {
                provider.submitted(result.cookie, copy)
            }
        }
    }

    private func accepted(
        _ stream: plugboard_stream_t,
        by listener: UnsafeMutableRawPointer?,
        user: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> UInt32 {
        guard let user, let box = host.accepted(stream, by: listener) else { return 0 }
        user.pointee = box
        return 1
    }

    private func resolved(
        _ query: plugboard_query_t,
        status: plugboard_status_t,
        _ records: [plugboard_record_t]
    ) {
        host.resolved(query, status < 0 ? .failure(HostError(status)) : .success(records.map(DNSRecord.init)))
    }
}

extension CloseReason {
    fileprivate init(_ source: UnsafePointer<plugboard_closed_t>?) {
        self.init(
            source.flatMap { Cause(rawValue: $0.pointee.cause) } ?? .error,
            source?.pointee.detail.string ?? ""
        )
    }
}

extension LinkReport {
    fileprivate func withABI(_ body: (UnsafePointer<plugboard_link_t>) -> Void) {
        withBytes(name) { name in
            withBytes(detail) { detail in
                let link = plugboard_link_t(
                    struct_size: structSize(plugboard_link_t.self),
                    state: state.rawValue,
                    name: name,
                    detail: detail,
                    sent: sent,
                    received: received,
                    waiting: waiting,
                    since_ms: since
                )
                withUnsafePointer(to: link, body)
            }
        }
    }
}

/// The instance that a call of the host is for.
private func box(_ pointer: UnsafeMutableRawPointer?) -> InstanceBox {
    guard let pointer else { preconditionFailure("the host called an instance without its self") }
    return Unmanaged<InstanceBox>.fromOpaque(pointer).takeUnretainedValue()
}

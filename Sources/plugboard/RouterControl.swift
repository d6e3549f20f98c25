internal import Configuration
internal import ControlSocket
internal import Directory
internal import IMModel
internal import PluginHost
internal import Router
internal import Spool

/// Answers the operator's commands about a running router.
struct RouterControl: ControlHandler {
    let router: Router
    let output: LogOutput

    var setups: [ProviderSetup] { router.setups }

    func handle(_ request: ControlRequest, respond: ControlResponder) async throws(ControlFailure) {
        switch ControlCommand(rawValue: request.command) {
        case .status:
            try await respond.send(await status())
        case .plugins:
            for plugin in plugins() { try await respond.send(plugin) }
        case .send:
            try await respond.send(try await send(try request.arguments(as: SendRequest.self)))
        case .inbox:
            try await inbox(try request.arguments(as: InboxRequest.self), respond)
        case .reload:
            let answer = await router.reload(
                file: router.currentConfiguration.file,
                by: Self.actor(request.peer)
            )
            if answer.isApplied { output.change(to: router.currentConfiguration) }
            try await respond.send(ReloadResult(answer))
        case .enable:
            let name = try request.arguments(as: EnableRequest.self).provider
            try await respond.send(EnableResult(reason: await router.enable(name)))
        case .upgrade:
            let request = try request.arguments(as: UpgradeRequest.self)
            guard request.file.hasPrefix("/") else {
                throw ControlFailure(.badRequest, "'\(request.file)' is no absolute path")
            }
            let answer = await router.upgrade(request.plugin, file: request.file, sha256: request.sha256)
            try await respond.send(UpgradeResult(answer))
        case .deadLetters:
            for item in try deadLetters(request.arguments(as: DeadLetterQuery.self)) { try await respond.send(item) }
        case .showDeadLetter:
            try await respond.send(try deadLetter(request.arguments(as: DeadLetterChoice.self)))
        case .retryDeadLetters:
            for change in try await retryDeadLetters(request.arguments(as: DeadLetterChoice.self)) {
                try await respond.send(change)
            }
        case .dropDeadLetters:
            for change in try await dropDeadLetters(request.arguments(as: DeadLetterChoice.self)) {
                try await respond.send(change)
            }
        case .explain:
            try await respond.send(try await explain(request.arguments(as: ExplainRequest.self)))
        case .policyRules:
            for item in policyRules() { try await respond.send(item) }
        case .policyUser:
            try await respond.send(try await policyUser(request.arguments(as: PolicyUserRequest.self)))
        case .audit:
            for item in try audit(request.arguments(as: AuditRequest.self)) { try await respond.send(item) }
        case .providers:
            for item in await providers() { try await respond.send(item) }
        case .licences:
            for item in try licences() { try await respond.send(item) }
        case .seats:
            for item in try seats() { try await respond.send(item) }
        case .assignSeat:
            let seat = try request.arguments(as: SeatRequest.self)
            try await respond.send(try await assignSeat(seat, peer: request.peer))
        case .revokeSeat:
            let seat = try request.arguments(as: SeatChoice.self)
            try await respond.send(await revokeSeat(seat, peer: request.peer))
        case .call:
            try await call(try request.arguments(as: CallRequest.self), respond)
        case .metrics:
            for part in MetricsPart.parts(of: await router.metricsText()) { try await respond.send(part) }
        case nil:
            guard let command = DirectoryCommand(rawValue: request.command) else {
                throw ControlFailure(.unknownCommand, "this router does not know the command '\(request.command)'")
            }
            try await directory(command, request, respond)
        }
    }

    // MARK: status and plugins

    private func status() async -> StatusReport {
        let status = await router.status()
        let running = Set(status.instances.map(\.name))
        let others = setups.filter { !running.contains($0.name) }.map { setup in
            InstanceStatus(
                name: setup.name,
                plugin: setup.plugin?.description.id ?? "",
                version: setup.plugin?.description.version ?? "",
                state: setup.quarantine == nil ? "refused" : "quarantined",
                reason: setup.quarantine ?? setup.problems.first { $0.severity == .error }?.message
            )
        }
        return StatusReport(
            routerID: status.name,
            version: Daemon.version,
            uptimeSeconds: status.uptimeMs / 1000,
            workers: status.workers,
            instances: status.instances.map(InstanceStatus.init) + others,
            spool: SpoolStatus(
                waiting: UInt64(status.spool?.pending ?? 0),
                retrying: UInt64(status.spool?.deferred ?? 0),
                dead: UInt64(status.spool?.deadLetters ?? 0),
                deadDropped: UInt64(status.spool?.deadLettersDropped ?? 0)
            )
        )
    }

    /// The configured plugins with what became of them, then what else lies in the search path.
    private func plugins() -> [PluginReport] {
        var reports = setups.map { setup in
            guard let plugin = setup.plugin else {
                let problems = setup.problems.map { "\($0)" }.joined(separator: "; ")
                let reason = setup.refusal.map { "\($0)" } ?? problems
                return PluginReport(state: .refused, path: setup.name, reason: reason)
            }
            let errors = setup.problems.filter { $0.severity == .error }.map { "\($0)" }
            return PluginReport(
                state: errors.isEmpty ? .loaded : .refused,
                path: plugin.path,
                reason: errors.isEmpty ? nil : errors.joined(separator: "; "),
                id: plugin.description.id,
                version: plugin.description.version,
                vendor: plugin.description.vendor,
                sha256: plugin.sha256,
                commandRefusals: plugin.description.commandRefusals.map { "\($0)" }
            )
        }
        let known = Set(setups.compactMap { $0.plugin?.path })
        for path in ProviderPreparation(router.currentConfiguration).candidates() where !known.contains(path) {
            reports.append(PluginReport(state: .found, path: path))
        }
        return reports
    }

    // MARK: send

    private func send(_ request: SendRequest) async throws(ControlFailure) -> SendResult {
        let from = try address(request.from)
        let to = try address(request.to)
        var content = Envelope.Content.message(Message(text: request.text))
        if let state = request.typing {
            guard let typing = Typing.allCases.first(where: { "\($0)" == state }) else {
                let states = Typing.allCases.map { "\($0)" }.joined(separator: ", ")
                throw ControlFailure(.badRequest, "'\(state)' is no typing state: use \(states)")
            }
            content = .typing(typing)
        } else if case .message(var message) = content {
            message.wantsDelivered = true
            content = .message(message)
        }
        let (id, outcome) = await router.send(Envelope(from: from, to: to, content: content))
        switch outcome {
        case .accepted, .delivered: return SendResult(id: id, accepted: true)
        case .deferred(let reason), .failed(let reason): return SendResult(id: id, accepted: false, reason: reason.text)
        }
    }

    /// Reads an address as people type it: capital letters make no difference.
    func address(_ text: String) throws(ControlFailure) -> Address {
        guard let address = Address(text.lowercased()) else {
            throw ControlFailure(.badRequest, "'\(text)' is not an address: write user@domain")
        }
        return address
    }

    // MARK: inbox

    private func inbox(_ request: InboxRequest, _ respond: ControlResponder) async throws(ControlFailure) {
        // Following begins before the stored ones are read, so that none falls between.
        let (arrivals, continuation) = AsyncStream.makeStream(
            of: Inbox.Item.self,
            bufferingPolicy: .bufferingNewest(10_000)
        )
        let follower = request.follow ? router.inbox.follow { continuation.yield($0) } : nil
        defer { if let follower { router.inbox.unfollow(follower) } }
        let stored: [Inbox.Item]
        do {
            let after = Int64(clamping: request.after)
            stored = try router.inbox.items(of: request.address, after: after, limit: request.limit)
        } catch {
            throw ControlFailure(.internal, "\(error)")
        }
        for item in stored { try await respond.send(InboxItem(item)) }
        guard request.follow else { return }
        let last = stored.last?.sequence ?? Int64(clamping: request.after)
        for await item in arrivals {
            let isNew = item.sequence == 0 || item.sequence > last
            guard isNew, request.address == nil || request.address == item.owner else { continue }
            try await respond.send(InboxItem(item))
        }
    }
}

extension ReloadResult {
    init(_ answer: ReloadAnswer) {
        self.init(
            applied: answer.isApplied,
            problems: answer.problems.map { "\($0)" },
            done: answer.done,
            failed: answer.failed,
            needsRestart: answer.needsRestart,
            unchanged: answer.unchanged
        )
    }
}

extension UpgradeResult {
    init(_ answer: UpgradeAnswer) {
        self.init(
            refusal: answer.refusal,
            problems: answer.problems.map { "\($0)" },
            done: answer.done,
            failed: answer.failed
        )
    }
}

extension InboxItem {
    init(_ item: Inbox.Item) {
        self.init(
            sequence: UInt64(clamping: item.sequence),
            id: item.id,
            from: item.from,
            to: item.owner,
            kind: item.kind,
            text: item.text,
            timestamp: item.timestamp
        )
    }
}

extension InstanceStatus {
    init(_ status: RouterStatus.InstanceStatus) {
        self.init(
            name: status.name,
            plugin: status.plugin,
            version: status.version,
            state: status.state,
            reason: status.failure.isEmpty ? nil : status.failure,
            laneDepth: status.laneDepth,
            laneCapacity: status.laneCapacity,
            submitted: status.counters.submitted,
            delivered: status.counters.delivered,
            deferred: status.counters.deferred,
            failed: status.counters.failed,
            refused: status.counters.refused,
            stalls: status.counters.stalls,
            slowCalls: status.slowCalls,
            throttled: status.counters.throttled,
            overdue: status.counters.overdue,
            coalesced: status.counters.coalesced,
            watched: status.watched.isEmpty ? nil : status.watched,
            links: status.links.map { link in
                LinkStatus(peer: link.name, state: "\(link.state)", detail: link.detail)
            }
        )
    }
}

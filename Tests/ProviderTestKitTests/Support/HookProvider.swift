import ProviderKit

/// A small network over HTTP, in a right version and in wrong ones: messages go out by POST, and are fetched by GET.
final class HookProvider: Provider {
    /// What is wrong with it; the setting `bug`.
    enum Bug: String, CaseIterable {
        case none
        case deliversAnyAnswer
        case deliversOnSend
        case forgetsOnFailure
        case dropsWhenBusy
        case fetchesAgain
        case stopsReading
        case requestsInStop
    }

    static let descriptor = Descriptor(
        id: "org.example.hook",
        name: "Hook",
        version: "1.0.0",
        vendor: "Example",
        capabilities: [Capability("messages")],
        settings: [
            SettingSchema("url", .string, isRequired: true, help: "Where the server is; ends with a slash."),
            SettingSchema("domain", .string, isRequired: true, help: "The domain of the network's users."),
            SettingSchema("bug", .choice(Bug.allCases.map(\.rawValue)), standard: "none", help: "What is wrong."),
        ]
    )

    private let host: Host
    private let url: String
    private let domain: String
    private let home: String
    private let bug: Bug
    private var sent: CounterSeries?
    private var queue: [Delivery] = []
    private var isSending = false
    private var isBlocked = false
    private var isDraining = false
    private var poll: Host.Timer?
    private var isPolling = false
    /// Fetched and not submitted.
    private var fetched: [(number: Int, text: String)] = []
    private var lastNumber = 0

    static let queueMax = 8
    static let pollMs: UInt64 = 2_000

    init(host: Host, instance: InstanceInfo) throws(ProviderError) {
        self.host = host
        url = instance.settings["url"] ?? ""
        domain = instance.settings["domain"] ?? ""
        home = instance.homeDomains.first ?? ""
        bug = Bug(rawValue: instance.settings["bug"] ?? "") ?? .none
    }

    func start() throws(ProviderError) {
        do {
            try host.claim(domain: domain)
            sent = try host.counter(MetricDescription("hooks_sent", help: "Messages that the server took.")).series()
        } catch {
            throw ProviderError("cannot start: \(error)")
        }
        pollLater()
    }

    // MARK: To the network

    func deliver(_ delivery: Delivery) -> Bool {
        guard case .message = delivery.envelope.content else {
            delivery.complete(.failed(Outcome.Reason(.content, "only messages can be sent")))
            return true
        }
        guard queue.count < Self.queueMax else {
            isBlocked = true
            return false
        }
        queue.append(delivery)
        sendNext()
        return true
    }

    private func sendNext() {
        guard !isSending, let delivery = queue.first, case .message(let message) = delivery.envelope.content else {
            return
        }
        let request = HTTPRequest("POST", url + "messages", body: Array(message.text.utf8), timeout: 10_000)
        do {
            try host.request(request) { [weak self] in self?.answered($0) }
            isSending = true
            if bug == .deliversOnSend { delivery.complete(.delivered) }
        } catch {
            queue.removeFirst()
            delivery.complete(.deferred(Outcome.Reason(.transient, "cannot be sent: \(error)")))
        }
    }

    private func answered(_ result: Result<HTTPAnswer, HTTPFailure>) {
        isSending = false
        let delivery = queue.removeFirst()
        switch result {
        case .success(let answer) where (200...299).contains(answer.status) || bug == .deliversAnyAnswer:
            sent?.increment()
            if bug != .deliversOnSend { delivery.complete(.delivered) }
        case .success(let answer):
            if bug != .deliversOnSend {
                delivery.complete(.deferred(Outcome.Reason(.transient, "answered \(answer.status)")))
            }
        case .failure(let failure):
            if bug == .forgetsOnFailure || bug == .deliversOnSend { break }
            delivery.complete(.deferred(Outcome.Reason(.transient, failure.detail)))
        }
        sendNext()
        if isBlocked, queue.count < Self.queueMax / 2 {
            isBlocked = false
            host.ready()
        }
    }

    // MARK: From the network

    private func pollLater() {
        guard !isDraining, poll == nil else { return }
        poll = try? host.startTimer(after: Self.pollMs) { [weak self] in
            self?.poll = nil
            self?.fetch()
        }
    }

    private func fetch() {
        guard !isPolling, !isDraining else { return }
        let after = bug == .fetchesAgain ? 0 : lastNumber
        let request = HTTPRequest("GET", url + "inbox?after=\(after)", timeout: 10_000)
        do {
            if bug == .stopsReading {
                let id = try host.request(
                    request,
                    streaming: HTTPStreaming(head: { _ in }, body: { _ in })
                ) { [weak self] in self?.fetched($0) }
                host.setReading(id, false)
            } else {
                try host.request(request) { [weak self] in self?.fetched($0) }
            }
            isPolling = true
        } catch {
            host.log(.warning, "cannot fetch: \(error)")
            pollLater()
        }
    }

    private func fetched(_ result: Result<HTTPAnswer, HTTPFailure>) {
        isPolling = false
        if case .success(let answer) = result, answer.status == 200 {
            for line in String(decoding: answer.body, as: UTF8.self).split(separator: "\n") {
                let words = line.split(separator: " ", maxSplits: 1)
                guard words.count == 2, let number = Int(words[0]) else { continue }
                if bug != .fetchesAgain, number <= lastNumber { continue }
                fetched.append((number, String(words[1])))
                lastNumber = max(lastNumber, number)
            }
        }
        submitFetched()
        pollLater()
    }

    func room() { submitFetched() }

    private func submitFetched() {
        while let next = fetched.first, let from = Address(user: "peer", domain: domain),
            let to = Address(user: "alice", domain: home)
        {
            let envelope = Envelope(from: from, to: to, content: .message(Message(text: next.text)))
            let answer = try? host.submit(envelope) { _ in }
            if answer == .busy, bug != .dropsWhenBusy { return }
            fetched.removeFirst()
        }
    }

    func drain() {
        isDraining = true
        if let poll { host.cancel(poll) }
        poll = nil
    }

    func stop() {
        if bug == .requestsInStop { _ = try? host.request(HTTPRequest("GET", url + "goodbye")) { _ in } }
    }
}

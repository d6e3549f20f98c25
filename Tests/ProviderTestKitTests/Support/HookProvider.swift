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

    static let descriptor = SmallNetwork.descriptor(
        "Hook",
        SettingSchema("url", .string, isRequired: true, help: "Where the server is; ends with a slash."),
        bugs: Bug.self
    )

    private let host: Host
    private let url: String
    private let network: SmallNetwork
    private let bug: Bug
    private var sent: CounterSeries?
    private var outbox: Outbox
    private var isSending = false
    private var isDraining = false
    private var poll: Host.Timer?
    private var isPolling = false
    /// Fetched and not submitted.
    private var fetched: [(number: Int, text: String)] = []
    private var lastNumber = 0

    static let pollMs: UInt64 = 2_000

    init(host: Host, instance: InstanceInfo) throws(ProviderError) {
        self.host = host
        url = instance.settings["url"] ?? ""
        network = SmallNetwork(instance)
        outbox = Outbox(host: host)
        bug = Bug(rawValue: instance.settings["bug"] ?? "") ?? .none
    }

    func start() throws(ProviderError) {
        do {
            try host.claim(domain: network.domain)
            sent = try host.counter(MetricDescription("hooks_sent", help: "Messages that the server took.")).series()
        } catch {
            throw ProviderError("cannot start: \(error)")
        }
        pollLater()
    }

    // MARK: To the network

    func deliver(_ delivery: Delivery) -> Bool {
        guard outbox.take(delivery) else { return false }
        sendNext()
        return true
    }

    private func sendNext() {
        guard !isSending, let (delivery, text) = outbox.first else { return }
        let request = HTTPRequest("POST", url + "messages", body: Array(text.utf8), timeout: 10_000)
        do {
            try host.request(request) { [weak self] in self?.answered($0) }
            isSending = true
            if bug == .deliversOnSend { delivery.complete(.delivered) }
        } catch {
            outbox.removeFirst().complete(.deferred(Outcome.Reason(.transient, "cannot be sent: \(error)")))
        }
    }

    private func answered(_ result: Result<HTTPAnswer, HTTPFailure>) {
        isSending = false
        let delivery = outbox.removeFirst()
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
        while let next = fetched.first, let envelope = network.incoming(next.text) {
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

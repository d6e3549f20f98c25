import ProviderKit

/// A small network over UDP, `S <number> <text>` answered with `A <number>`, in a right version and in wrong ones.
final class KnockProvider: Provider, DatagramReceiver {
    /// What is wrong with it; the setting `bug`.
    enum Bug: String, CaseIterable {
        case none
        case neverResends
        case deliversOnSend
        case takesAnyAnswer
        case submitsTwice
        case answersWhenBusy
        case sendsAfterClose
    }

    static let descriptor = Descriptor(
        id: "org.example.knock",
        name: "Knock",
        version: "1.0.0",
        vendor: "Example",
        capabilities: [Capability("messages")],
        settings: [
            SettingSchema("server", .string, isRequired: true, help: "The server's address."),
            SettingSchema("domain", .string, isRequired: true, help: "The domain of the network's users."),
            SettingSchema("bug", .choice(Bug.allCases.map(\.rawValue)), standard: "none", help: "What is wrong."),
        ]
    )

    private let host: Host
    private let server: String
    private let domain: String
    private let home: String
    private let bug: Bug
    private var socket: DatagramSocket?
    private var queue: [Delivery] = []
    private var isBlocked = false
    private var isDraining = false
    private var number = 0
    private var tries = 0
    private var resend: Host.Timer?
    private var hello: Host.Timer?
    private var lastSeen = 0

    static let port: UInt16 = 4000
    static let queueMax = 8
    static let triesMax = 20

    init(host: Host, instance: InstanceInfo) throws(ProviderError) {
        self.host = host
        server = instance.settings["server"] ?? ""
        domain = instance.settings["domain"] ?? ""
        home = instance.homeDomains.first ?? ""
        bug = Bug(rawValue: instance.settings["bug"] ?? "") ?? .none
    }

    func start() throws(ProviderError) {
        do {
            try host.claim(domain: domain)
            socket = try host.bindDatagrams(address: "0.0.0.0", receiver: self)
        } catch {
            throw ProviderError("cannot start: \(error)")
        }
        sayHello()
    }

    private func sayHello() {
        send("HELLO")
        hello = try? host.startTimer(after: 5_000) { [weak self] in self?.sayHello() }
    }

    private func send(_ text: String) {
        _ = try? socket?.send([Datagram(address: server, port: Self.port, payload: Array(text.utf8))])
    }

    // MARK: To the network

    func deliver(_ delivery: Delivery) -> Bool {
        guard case .message = delivery.envelope.content else {
            delivery.complete(.failed(Outcome.Reason(.content, "only messages can be sent")))
            return true
        }
        guard socket != nil else {
            delivery.complete(.deferred(Outcome.Reason(.unavailable, "there is no socket any more")))
            return true
        }
        guard queue.count < Self.queueMax else {
            isBlocked = true
            return false
        }
        queue.append(delivery)
        if queue.count == 1 { sendFirst() }
        return true
    }

    private func sendFirst() {
        number += 1
        tries = 0
        sendAgain()
    }

    private func sendAgain() {
        guard let delivery = queue.first, case .message(let message) = delivery.envelope.content else { return }
        tries += 1
        guard tries <= Self.triesMax else {
            return settle(.deferred(Outcome.Reason(.unavailable, "the server does not answer")))
        }
        send("S \(number) \(message.text)")
        if bug == .deliversOnSend { return settle(.delivered) }
        guard bug != .neverResends else { return }
        resend = try? host.startTimer(after: 1_000) { [weak self] in self?.sendAgain() }
    }

    private func settle(_ outcome: Outcome) {
        if let resend { host.cancel(resend) }
        resend = nil
        queue.removeFirst().complete(outcome)
        if isBlocked, queue.count < Self.queueMax / 2 {
            isBlocked = false
            host.ready()
        }
        if queue.isEmpty { closeIfDone() } else { sendFirst() }
    }

    // MARK: From the network

    func received(_ datagrams: [Datagram], on socket: DatagramSocket) {
        for datagram in datagrams {
            let words = String(decoding: datagram.payload, as: UTF8.self).split(separator: " ", maxSplits: 2)
            guard words.count > 1, let number = Int(words[1]) else { continue }
            if words[0] == "A", !queue.isEmpty, number == self.number || bug == .takesAnyAnswer {
                settle(.delivered)
            } else if words[0] == "S", words.count == 3 {
                take(number, String(words[2]))
            }
        }
    }

    private func take(_ number: Int, _ text: String) {
        if number > lastSeen || bug == .submitsTwice {
            guard let from = Address(user: "peer", domain: domain), let to = Address(user: "alice", domain: home) else {
                return
            }
            let answer = try? host.submit(Envelope(from: from, to: to, content: .message(Message(text: text)))) { _ in }
            // The server will send it again.
            guard answer == .taken || bug == .answersWhenBusy else { return }
            lastSeen = max(lastSeen, number)
        }
        send("A \(number)")
    }

    func closed(_ socket: DatagramSocket, detail: String) {
        self.socket = nil
        while !queue.isEmpty { settle(.deferred(Outcome.Reason(.unavailable, detail))) }
    }

    func drain() {
        isDraining = true
        if let hello { host.cancel(hello) }
        hello = nil
        closeIfDone()
    }

    private func closeIfDone() {
        guard isDraining, queue.isEmpty, let socket else { return }
        socket.close()
        if bug == .sendsAfterClose { send("GOODBYE") }
        self.socket = nil
    }
}

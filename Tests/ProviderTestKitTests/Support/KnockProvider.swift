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

    static let descriptor = SmallNetwork.descriptor(
        "Knock",
        SettingSchema("server", .string, isRequired: true, help: "The server's address."),
        bugs: Bug.self
    )

    private let host: Host
    private let server: String
    private let network: SmallNetwork
    private let bug: Bug
    private var socket: DatagramSocket?
    private var outbox: Outbox
    private var isDraining = false
    private var number = 0
    private var tries = 0
    private var resend: Host.Timer?
    private var hello: Host.Timer?
    private var lastSeen = 0

    static let port: UInt16 = 4000
    static let triesMax = 20

    init(host: Host, instance: InstanceInfo) throws(ProviderError) {
        self.host = host
        server = instance.settings["server"] ?? ""
        network = SmallNetwork(instance)
        outbox = Outbox(host: host)
        bug = Bug(rawValue: instance.settings["bug"] ?? "") ?? .none
    }

    func start() throws(ProviderError) {
        do {
            try host.claim(domain: network.domain)
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
        guard socket != nil else {
            delivery.complete(.deferred(Outcome.Reason(.unavailable, "there is no socket any more")))
            return true
        }
        let wasEmpty = outbox.isEmpty
        guard outbox.take(delivery) else { return false }
        if wasEmpty, !outbox.isEmpty { sendFirst() }
        return true
    }

    private func sendFirst() {
        number += 1
        tries = 0
        sendAgain()
    }

    private func sendAgain() {
        guard let text = outbox.first?.text else { return }
        tries += 1
        guard tries <= Self.triesMax else {
            return settle(.deferred(Outcome.Reason(.unavailable, "the server does not answer")))
        }
        send("S \(number) \(text)")
        if bug == .deliversOnSend { return settle(.delivered) }
        guard bug != .neverResends else { return }
        resend = try? host.startTimer(after: 1_000) { [weak self] in self?.sendAgain() }
    }

    private func settle(_ outcome: Outcome) {
        if let resend { host.cancel(resend) }
        resend = nil
        outbox.removeFirst().complete(outcome)
        if outbox.isEmpty { closeIfDone() } else { sendFirst() }
    }

    // MARK: From the network

    func received(_ datagrams: [Datagram], on socket: DatagramSocket) {
        for datagram in datagrams {
            let words = String(decoding: datagram.payload, as: UTF8.self).split(separator: " ", maxSplits: 2)
            guard words.count > 1, let number = Int(words[1]) else { continue }
            if words[0] == "A", !outbox.isEmpty, number == self.number || bug == .takesAnyAnswer {
                settle(.delivered)
            } else if words[0] == "S", words.count == 3 {
                take(number, String(words[2]))
            }
        }
    }

    private func take(_ number: Int, _ text: String) {
        if number > lastSeen || bug == .submitsTwice {
            guard let envelope = network.incoming(text) else { return }
            let answer = try? host.submit(envelope) { _ in }
            // The server will send it again.
            guard answer == .taken || bug == .answersWhenBusy else { return }
            lastSeen = max(lastSeen, number)
        }
        send("A \(number)")
    }

    func closed(_ socket: DatagramSocket, detail: String) {
        self.socket = nil
        while !outbox.isEmpty { settle(.deferred(Outcome.Reason(.unavailable, detail))) }
    }

    func drain() {
        isDraining = true
        if let hello { host.cancel(hello) }
        hello = nil
        closeIfDone()
    }

    private func closeIfDone() {
        guard isDraining, outbox.isEmpty, let socket else { return }
        socket.close()
        if bug == .sendsAfterClose { send("GOODBYE") }
        self.socket = nil
    }
}

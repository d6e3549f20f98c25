internal import IMModel
internal import PluginHost
internal import Router

/// Reads what a person wants to send.
struct Prompt {
    let network: Network
    let journey: Journey

    static let help = """
        Write more, for example:
          alice@north.example bob@south.example hello   send a message
          hello again                                   the same sender and recipient once more
          /from ann@north.example                       another sender
          /to echo@south.example                        another recipient
          /status                                       what the routers have done
          /help   /quit                                 Ctrl-C and Ctrl-D end it, too
        """

    /// One line, understood.
    enum Command {
        case send(from: Address, to: Address, text: String)
        /// To the last recipient.
        case say(String)
        case from(Address)
        case to(Address)
        case status
        case help
        case quit
        case nothing
        case mistake(String)

        init(_ line: String) {
            let words = line.split(separator: " ", maxSplits: 2).map(String.init)
            switch (words.first ?? "", words.count) {
            case ("", _): self = .nothing
            case ("/status", 1): self = .status
            case ("/help", 1): self = .help
            case ("/quit", 1): self = .quit
            case ("/from", 2): self = Self.address(words[1]).map(Self.from) ?? .mistake("\(words[1]) is no address")
            case ("/to", 2): self = Self.address(words[1]).map(Self.to) ?? .mistake("\(words[1]) is no address")
            case (let word, _) where word.hasPrefix("/"): self = .mistake("there is no command \(line); try /help")
            case (_, 3):
                guard let from = Self.address(words[0]), let to = Self.address(words[1]) else { fallthrough }
                self = .send(from: from, to: to, text: words[2])
            default: self = .say(line)
            }
        }

        /// An address of a user, with the domain in small letters.
        private static func address(_ text: String) -> Address? {
            guard let read = Address(text), !read.user.isEmpty else { return nil }
            return Address(user: read.user, domain: read.domain.lowercased())
        }
    }

    /// Obeys until the lines end, or one says so.
    func run(_ lines: AsyncStream<String>) async {
        guard var from = Address("alice@north.example"), var to = Address("bob@south.example") else { return }
        journey.say(Self.help)
        journey.prompt(true)
        defer { journey.prompt(false) }
        for await line in lines {
            switch Command(line) {
            case .nothing: break
            case .quit: return
            case .help: journey.say(Self.help)
            case .status: journey.say(await status())
            case .mistake(let text): journey.say(text)
            case .from(let address): from = address
            case .to(let address): to = address
            case .say(let text): await send(from, to, text)
            case .send(let sender, let recipient, let text):
                (from, to) = (sender, recipient)
                await send(from, to, text)
            }
            journey.prompt(true)
        }
    }

    private func send(_ from: Address, _ to: Address, _ text: String) async {
        guard let home = network.home(of: from) else {
            let domains = network.organisations.map(\.plan.domain).joined(separator: " or ")
            return journey.say("\(from) is not one of ours: a sender is at \(domains)")
        }
        let envelope = Envelope(from: from, to: to, content: .message(Message(text: text)))
        if case .failed(let reason) = await home.router.send(envelope).outcome {
            journey.say("not sent: \(reason.text)")
        }
    }

    private func status() async -> String {
        var lines: [String] = []
        for organisation in network.organisations {
            let status = await organisation.router.status()
            lines.append("\(status.name): \(status.workers) worker, up for \(status.uptimeMs / 1000) s")
            for instance in status.instances {
                let counters = instance.counters
                lines.append(
                    "  \(instance.name) \(instance.state): \(counters.submitted) submitted, "
                        + "\(counters.refused) refused, \(counters.delivered) delivered, "
                        + "\(counters.deferred) deferred, \(counters.failed) failed"
                )
                lines += instance.links.map { "    \($0.name) \($0.state) \($0.detail)" }
            }
        }
        return lines.joined(separator: "\n")
    }
}

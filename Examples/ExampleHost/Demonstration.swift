internal import IMModel
internal import Router

/// A few messages that show what the routers do, each followed to its end.
struct Demonstration {
    let network: Network
    let journey: Journey

    /// How a message can end.
    enum End: String, CaseIterable {
        case arrived = "arrived"
        case answered = "was answered"
        case cameBack = "came back"
        case refused = "was refused"
    }

    /// One message, and what is to become of it.
    struct Errand {
        let from: String
        let to: String
        let text: String
        let end: End
        let heading: String
    }

    /// How long all of it may take.
    static let timeMax = Duration.seconds(30)

    static let errands = [
        Errand(
            from: "alice@north.example",
            to: "bob@south.example",
            text: "Hello from the north!",
            end: .arrived,
            heading: "A message to the other organisation:"
        ),
        Errand(
            from: "bob@south.example",
            to: "alice@north.example",
            text: "Hello from the south!",
            end: .arrived,
            heading: "And one the other way:"
        ),
        Errand(
            from: "alice@north.example",
            to: "echo@south.example",
            text: "Is anybody there?",
            end: .answered,
            heading: "A message to a provider that answers:"
        ),
        Errand(
            from: "alice@north.example",
            to: "nobody@south.example",
            text: "Who are you?",
            end: .cameBack,
            heading: "To a user who does not exist, which only the other router knows:"
        ),
        Errand(
            from: "alice@north.example",
            to: "carol@nowhere.example",
            text: "Where are you?",
            end: .refused,
            heading: "To a domain that nobody serves:"
        ),
    ]

    /// Sends one message after another.
    ///
    /// - Returns: whether each came to the end that it should.
    func run() async -> Bool {
        var events = journey.follow().makeAsyncIterator()
        let start = ContinuousClock.now
        // Wakes the loop below, which looks at the clock.
        let alarm = Task {
            try await Task.sleep(for: Self.timeMax)
            journey.say("The time is over.")
        }
        defer { alarm.cancel() }
        for errand in Self.errands {
            journey.say(errand.heading)
            let end = await follow(errand, &events, until: start + Self.timeMax)
            journey.say("")
            // A person who has enough of it is no failure.
            guard !Task.isCancelled else { return true }
            guard end == errand.end else {
                journey.say(Self.complaint(errand, end))
                return false
            }
        }
        let ends = End.allCases.map { end in "\(Self.errands.count { $0.end == end }) \(end.rawValue)" }
        journey.say("All \(Self.errands.count) messages ended as they should: \(ends.joined(separator: ", ")).")
        return true
    }

    /// Sends a message and waits for its end; nil if it has none in time.
    private func follow(
        _ errand: Errand,
        _ events: inout AsyncStream<Journey.Entry>.Iterator,
        until deadline: ContinuousClock.Instant
    ) async -> End? {
        guard let from = Address(errand.from), let to = Address(errand.to), let home = network.home(of: from) else {
            preconditionFailure("the demonstration's own addresses are wrong")
        }
        let envelope = Envelope(from: from, to: to, content: .message(Message(text: errand.text)))
        let (id, outcome) = await home.router.send(envelope)
        if case .failed = outcome { return .refused }
        // The router counts it as delivered, and the recipient can read it: in either order.
        var (end, isRead) = (End?.none, false)
        while end == nil || !isRead {
            guard ContinuousClock.now < deadline, let entry = await events.next() else { return nil }
            switch entry.event {
            case .hop(let hop): end = Self.end(of: errand, id: id, at: hop) ?? end
            case .received: isRead = true
            case .logged, .said, .prompted: break
            }
        }
        return end
    }

    /// The end that a hop means for a message; nil if it goes on.
    private static func end(of errand: Errand, id: String, at hop: Hop) -> End? {
        // What a home user has got.
        guard hop.event == .delivered, hop.instance == "home" else { return nil }
        if hop.id == id, hop.to == errand.to { return .arrived }
        guard hop.from == errand.to, hop.to == errand.from else { return nil }
        return hop.kind == "failure" ? .cameBack : .answered
    }

    private static func complaint(_ errand: Errand, _ end: End?) -> String {
        let happened = end.map { "it \($0.rawValue)" } ?? "no end was seen in \(timeMax.components.seconds) s"
        return """
            error: the message from \(errand.from) to \(errand.to) should have ended so that it \(errand.end.rawValue), \
            but \(happened)
            """
    }
}

import IMModel
import Testing

@testable import Policy

@Suite("Decisions by policy, setting by setting")
struct DecisionTableTests {
    private static let questions: [Asked] = PolicyQuestion.Direction.allCases.flatMap { direction in
        PolicyQuestion.Kind.allCases.map { Asked(kind: $0, direction: direction) }
    }

    private func check(_ model: Model, _ snapshot: PolicySnapshot, _ asked: Asked) -> Bool {
        let refusal = snapshot.refusal(asked, contacts: model.contactList)
        return refusal.map { [$0.code, $0.place.keyPath] } == model.expected(asked)
    }

    @Test(
        "Every combination of provider, edge, partner, discovery and access policies is decided as the model says",
        arguments: Model.networks,
        Model.Listing.allCases
    )
    func access(_ network: Network, _ listing: Model.Listing) {
        for bits in 0..<8 {
            for choice in 0..<27 {
                var model = Model(network: network, listing: listing, audioVideo: true)
                (model.isEnabled, model.edge, model.discovery) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0)
                model.global = Model.choices[choice % 3]
                model.domain = Model.choices[choice / 3 % 3]
                model.user = Model.choices[choice / 9]
                model.contacts = .added
                let snapshot = model.snapshot
                for asked in Self.questions where !check(model, snapshot, asked) {
                    Issue.record("\(model) \(asked): \(String(describing: snapshot.refusal(asked)))")
                }
            }
        }
    }

    @Test(
        "Every combination of audio and video, seats, dates, verification and contacts is decided as the model says",
        arguments: Model.networks,
        Model.Listing.allCases
    )
    func verification(_ network: Network, _ listing: Model.Listing) {
        for audioVideo in Model.choices {
            for seat in Model.SeatState.allCases {
                for endOfLife in Model.EndOfLife.allCases {
                    for level in VerificationLevel.allCases {
                        var model = Model(network: network, listing: listing, discovery: true, audioVideo: audioVideo)
                        (model.seat, model.endOfLife, model.verification) = (seat, endOfLife, level)
                        checkSenders(model)
                    }
                }
            }
        }
    }

    /// Asks about all senders: vouched for or not, contacts or not.
    private func checkSenders(_ model: Model) {
        var model = model
        for contacts in Model.Contacts.allCases {
            model.contacts = contacts
            let snapshot = model.snapshot
            for vouching in Vouching.allCases {
                for var asked in Self.questions {
                    asked.vouching = vouching
                    guard !check(model, snapshot, asked) else { continue }
                    Issue.record("\(model) \(asked): \(String(describing: snapshot.refusal(asked)))")
                }
            }
        }
    }

    @Test("Whatever the settings, the decision is the model's, and the explanation is the decision's")
    func property() throws {
        var dice = Dice(state: 7)
        var refusals: Set<String> = []
        for _ in 0..<20_000 {
            var model = Model()
            model.network = try #require(Model.networks.randomElement(using: &dice))
            model.isEnabled = Int.random(in: 0..<10, using: &dice) > 0
            model.edge = Int.random(in: 0..<10, using: &dice) > 0
            model.listing = try #require(Model.Listing.allCases.randomElement(using: &dice))
            model.discovery = .random(using: &dice)
            model.global = try #require(Model.choices.randomElement(using: &dice))
            model.domain = try #require(Model.choices.randomElement(using: &dice))
            model.user = try #require(Model.choices.randomElement(using: &dice))
            model.audioVideo = try #require(Model.choices.randomElement(using: &dice))
            model.seat = try #require(Model.SeatState.allCases.randomElement(using: &dice))
            model.endOfLife = try #require(Model.EndOfLife.allCases.randomElement(using: &dice))
            model.verification = try #require(VerificationLevel.allCases.randomElement(using: &dice))
            model.contacts = try #require(Model.Contacts.allCases.randomElement(using: &dice))
            var asked = try #require(Self.questions.randomElement(using: &dice))
            asked.vouching = try #require(Vouching.allCases.randomElement(using: &dice))
            refusals.insert(checkExplanation(model, asked))
        }
        // The draw was wide enough to meet every reason but that of a provider that is not there.
        #expect(refusals.count == 15)
    }

    /// The code of the refusal, empty if it is allowed.
    private func checkExplanation(_ model: Model, _ asked: Asked) -> String {
        let snapshot = model.snapshot
        return snapshot.with(asked) { question in
            let decision = snapshot.decide(question, contacts: model.contactList)
            let (explained, trail) = snapshot.explain(question, contacts: model.contactList)
            #expect(decision == explained, "\(model) \(asked)")
            #expect(trail.dropLast().allSatisfy { $0.verdict != .refuses }, "\(model) \(asked)")
            // Rules are asked in their order.
            let order = trail.compactMap { PolicyRule.allCases.firstIndex(of: $0.rule) }
            #expect(order == order.sorted())
            guard case .refuse(let reason) = decision else {
                #expect(trail.last?.verdict != .refuses)
                #expect(model.expected(asked) == nil, "\(model) \(asked)")
                return ""
            }
            let refusal = snapshot.refusal(for: reason, question)
            #expect(trail.last == TrailStep(refusal.rule, .refuses, refusal.sentence, at: refusal.place))
            #expect(model.expected(asked) == [refusal.code, refusal.place.keyPath], "\(model) \(asked)")
            return refusal.code
        }
    }
}

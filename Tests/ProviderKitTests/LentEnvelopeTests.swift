import CPlugboard
import Testing

@testable import ProviderKit

/// A provider that reads lent envelopes.
private final class Reader: Provider {
    static let descriptor = Probe.descriptor

    let host: Host
    var onDeliver: (LentDelivery) -> Bool = { _ in true }
    var told: [(tag: UInt64, outcome: Outcome)] = []

    init(host: Host, instance: InstanceInfo) throws(ProviderError) {
        self.host = host
    }

    func start() throws(ProviderError) {}
    func deliver(lent delivery: LentDelivery) -> Bool { onDeliver(delivery) }
    func deliver(_ delivery: Delivery) -> Bool {
        Issue.record("a provider that reads lent envelopes is not given copies")
        return false
    }
    func submitted(_ tag: UInt64, _ outcome: Outcome) { told.append((tag, outcome)) }
}

@Suite("Envelopes that are lent")
struct LentEnvelopeTests {
    private func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }

    private func reader() throws -> (fake: FakeHost, reader: Reader) {
        let fake = FakeHost()
        var made: Reader?
        let plugin = Entry.plugin(Reader.self) { host, instance throws(ProviderError) in
            let reader = try Reader(host: host, instance: instance)
            made = reader
            return reader
        }
        #expect(fake.create(plugin))
        return (fake, try #require(made))
    }

    @Test("Every field is read where it lies", arguments: Samples.all)
    func fields(envelope: Envelope) {
        envelope.withABI { abi in
            let view = EnvelopeView(abi)
            #expect(text(view.from) == envelope.from.description)
            #expect(text(view.fromDevice) == envelope.fromDevice)
            #expect(text(view.to) == envelope.to.description)
            #expect(text(view.toDevice) == envelope.toDevice)
            #expect(text(view.id) == envelope.id)
            #expect(text(view.conversation) == envelope.conversation)
            #expect(text(view.account) == envelope.account)
            #expect(view.timestamp == envelope.timestamp)
            #expect(view.expires == envelope.expires)
            #expect(view.hops == envelope.hops)
            #expect(view.isRedelivered == envelope.isRedelivered)
            #expect(view.isDelayed == envelope.isDelayed)
            #expect(view.kind.map { "\($0)" } == envelope.kindName)
            #expect(view.copy() == envelope)
        }
    }

    @Test("A message, a receipt and a typing state are read, and each is none of the others", arguments: Samples.all)
    func contents(envelope: Envelope) {
        envelope.withABI { abi in
            let view = EnvelopeView(abi)
            var (message, receipt, typing) = (Message?.none, Receipt?.none, Typing?.none)
            switch envelope.content {
            case .message(let it): message = it
            case .receipt(let it): receipt = it
            case .typing(let it): typing = it
            case .presence, .subscription, .contact, .call, .failure: break
            }
            #expect(view.message.map(copy) == message)
            #expect(view.receipt.map { Receipt($0.kind, messageID: text($0.messageID)) } == receipt)
            #expect(view.typing == typing)
        }
    }

    private func copy(_ view: MessageView) -> Message {
        var message = Message(text: text(view.text))
        message.subject = text(view.subject)
        message.language = text(view.language)
        message.replaces = text(view.replaces)
        message.formatted = text(view.formatted)
        message.formattedType = text(view.formattedType)
        message.wantsDelivered = view.wantsDelivered
        message.wantsRead = view.wantsRead
        message.isAttention = view.isAttention
        return message
    }

    @Test("The key is the router's sixteen bytes")
    func key() {
        Samples.envelope(.typing(.gone)).withABI { abi in
            var changed = abi.pointee
            withUnsafeMutableBytes(of: &changed.idempotency_key) { bytes in
                for index in bytes.indices { bytes[index] = UInt8(index + 1) }
            }
            withUnsafePointer(to: changed) { changed in
                let key = EnvelopeView(changed).idempotencyKey
                #expect(key == (0x0102_0304_0506_0708, 0x090A_0B0C_0D0E_0F10))
            }
        }
    }

    @Test("A provider takes lent envelopes and settles them, at once or later by their tokens")
    func delivery() throws {
        let (fake, reader) = try reader()
        var tokens: [UInt64] = []
        reader.onDeliver = { delivery in
            tokens.append(delivery.token)
            if delivery.token == 1 { delivery.complete(.delivered) }
            return delivery.token < 3
        }
        let envelopes = Array(repeating: Samples.envelope(.message(Message(text: "hello"))), count: 4)
        #expect(fake.deliver(envelopes) == 2)
        #expect(tokens == [1, 2, 3])
        reader.host.complete(2, .delivered)
        #expect(fake.completed.map(\.token) == [1, 2])
        #expect(fake.completed.map(\.outcome) == [.delivered, .delivered])
    }

    @Test("A draft arrives as the envelope that says the same")
    func draft() throws {
        let (fake, reader) = try reader()
        var expected = Envelope(
            from: Samples.romeo,
            to: Samples.juliet,
            id: "id-1",
            content: .message(Message(text: "Ay ✓"))
        )
        (expected.fromDevice, expected.toDevice) = ("orchard", "balcony")
        (expected.conversation, expected.account) = ("thread", "romeo")
        (expected.timestamp, expected.expires, expected.hops) = (1, 2, 3)
        expected.isDelayed = true
        var message = Message(text: "Ay ✓")
        (message.wantsDelivered, message.wantsRead) = (true, false)
        expected.content = .message(message)
        let fields = [
            "romeo@montague.example", "orchard", "juliet@capulet.example", "balcony", "id-1", "thread", "romeo", "Ay ✓",
        ].map { Array($0.utf8) }
        let bytes = fields.flatMap { $0 }
        try bytes.withUnsafeBytes { bytes throws in
            var rest = bytes[...]
            let spans = fields.map { field in
                defer { rest = rest.dropFirst(field.count) }
                return UnsafeRawBufferPointer(rebasing: rest.prefix(field.count))
            }
            var draft = MessageDraft(from: spans[0], to: spans[2], text: spans[7])
            (draft.fromDevice, draft.toDevice, draft.id) = (spans[1], spans[3], spans[4])
            (draft.conversation, draft.account) = (spans[5], spans[6])
            (draft.timestamp, draft.expires, draft.hops, draft.isDelayed) = (1, 2, 3, true)
            (draft.wantsDelivered, draft.wantsRead) = (true, false)
            #expect(try reader.host.submit(draft, tag: 7) == .taken)
            (draft.wantsDelivered, draft.wantsRead) = (false, true)
            #expect(try reader.host.submit(draft) == .taken)
        }
        (message.wantsDelivered, message.wantsRead) = (false, true)
        var second = expected
        second.content = .message(message)
        #expect(fake.submitted.map(\.envelope) == [expected, second])
        #expect(fake.submitted.map(\.cookie) == [7, 0])
    }

    @Test("A draft that the host does not take is busy, or an error")
    func refusedDraft() throws {
        let (fake, reader) = try reader()
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        let draft = MessageDraft(from: empty, to: empty, text: empty)
        fake.status = PLUGBOARD_BUSY
        #expect(try reader.host.submit(draft, tag: 1) == .busy)
        fake.status = PLUGBOARD_E_INVALID
        #expect(throws: HostError.invalidArgument) { try reader.host.submit(draft, tag: 1) }
        #expect(reader.told.isEmpty)
    }

    @Test("Answers to tags come to the provider, answers to closures to these, whatever their numbers")
    func answers() throws {
        let (fake, reader) = try reader()
        var heard: [Outcome] = []
        let envelope = Samples.envelope(.typing(.gone))
        #expect(try reader.host.submit(envelope, then: { heard.append($0) }) == .taken)
        let cookie = try #require(fake.submitted.last?.cookie)
        #expect(cookie > Host.tagMax)
        let reason = Outcome.Reason(.policy, "no", code: "forbidden")
        fake.tellSubmitted(1, .accepted)
        fake.tellSubmitted(cookie, .failed(reason))
        fake.tellSubmitted(Host.tagMax, .failed(reason))
        #expect(reader.told.map(\.tag) == [1, Host.tagMax])
        #expect(reader.told.map(\.outcome) == [.accepted, .failed(reason)])
        #expect(heard == [.failed(reason)])
    }
}

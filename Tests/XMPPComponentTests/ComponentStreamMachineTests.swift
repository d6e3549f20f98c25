import Testing
import XMPPComponent
import XMPPWire

@Suite struct ComponentStreamMachineTests {
    private func machine() -> ComponentStreamMachine {
        ComponentStreamMachine(domain: "aim.example.org", secret: "secret", limits: StreamParserLimits())
    }

    private func header(id: String? = "3BF96D32", namespace: String = Namespace.component) -> StreamHeader {
        StreamHeader(from: "aim.example.org", id: id, version: nil, defaultNamespace: namespace)
    }

    private func error(_ condition: StreamError.Condition, _ text: String? = nil) -> Element {
        StreamError(condition, text: text).element
    }

    private func established() -> ComponentStreamMachine {
        var machine = self.machine()
        _ = machine.connected()
        _ = machine.streamOpened(self.header(), sha1: sha1)
        _ = machine.elementReceived(element("<handshake/>"))
        return machine
    }

    @Test("The header names the component, and has no version")
    func headerOfOurs() throws {
        var machine = self.machine()
        guard case .sendHeader(let header)? = machine.connected().first else {
            Issue.record("no header")
            return
        }
        var bytes: [UInt8] = []
        header.write(into: &bytes)
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
                + "xmlns:stream='http://etherx.jabber.org/streams' to='aim.example.org'>"
        )
        #expect(machine.connected().isEmpty)
    }

    @Test("The proof is the digest of the stream's id and the secret, in small letters")
    func proof() {
        var machine = self.machine()
        _ = machine.connected()
        // The digest of "3BF96D32secret", by another program.
        let proof = "b09ea9b3b7f586be8a08d0a3dd7466f110aeb136"
        #expect(
            machine.streamOpened(self.header(), sha1: sha1)
                == [.send(Element("handshake", namespace: Namespace.component, text: proof))]
        )
        #expect(!machine.isEstablished)
        #expect(
            machine.elementReceived(element("<handshake/>")) == [.setParserLimits(StreamParserLimits()), .established]
        )
        #expect(machine.isEstablished)
    }

    @Test(
        "The server's refusals are said plainly",
        arguments: [
            (StreamError.Condition.hostUnknown, ComponentFailure.hostUnknown(domain: "aim.example.org")),
            (.conflict, .conflict(domain: "aim.example.org")),
            (.notAuthorized, .notAuthorized(domain: "aim.example.org")),
            (.systemShutdown, .streamError(.systemShutdown, text: "bye")),
        ]
    )
    func refusals(_ condition: StreamError.Condition, _ failure: ComponentFailure) {
        var machine = self.machine()
        _ = machine.connected()
        _ = machine.streamOpened(self.header(), sha1: sha1)
        #expect(
            machine.elementReceived(self.error(condition, condition == .systemShutdown ? "bye" : nil))
                == [.sendStreamEnd, .finish, .failed(failure)]
        )
        #expect(failure.description.contains(condition.rawValue))
        #expect(machine.streamClosed().isEmpty)
    }

    @Test("An established stream ends with the server's error, too")
    func errorLater() {
        var machine = self.established()
        let actions = machine.elementReceived(self.error(.conflict))
        #expect(actions == [.sendStreamEnd, .finish, .failed(.conflict(domain: "aim.example.org"))])
    }

    @Test("A port for clients or servers is recognised")
    func wrongPort() {
        var machine = self.machine()
        _ = machine.connected()
        let actions = machine.streamOpened(self.header(namespace: Namespace.client), sha1: sha1)
        #expect(actions.last == .failed(.notForComponents(namespace: Namespace.client)))
        #expect(actions.first == .send(StreamError(.invalidNamespace).element))
    }

    @Test("A header without an id proves nothing", arguments: [nil, ""])
    func noID(_ id: String?) {
        var machine = self.machine()
        _ = machine.connected()
        #expect(machine.streamOpened(self.header(id: id), sha1: sha1).last == .failed(.noStreamID))
    }

    @Test("Nothing is delivered before the server has let the component in")
    func earlyStanza() {
        var machine = self.machine()
        _ = machine.connected()
        _ = machine.streamOpened(self.header(), sha1: sha1)
        let actions = machine.elementReceived(element("<message from='a@b' to='c@d'/>"))
        #expect(actions.last == .failed(.unexpectedElement("message")))
    }

    @Test("Stanzas are delivered, and what is none ends the stream")
    func stanzas() {
        var machine = self.established()
        let message = element("<message from='a@b' to='c@d'/>")
        #expect(machine.elementReceived(message) == [.deliver(message)])
        let other = element("<message xmlns='jabber:client'/>")
        #expect(
            machine.elementReceived(other)
                == [
                    .send(StreamError(.unsupportedStanzaType).element), .sendStreamEnd, .finish,
                    .failed(.unexpectedElement("message")),
                ]
        )
        #expect(machine.elementReceived(message).isEmpty)
    }

    @Test("A second handshake has no place in the stream")
    func secondHandshake() {
        var machine = self.established()
        #expect(machine.elementReceived(element("<handshake/>")).last == .failed(.unexpectedElement("handshake")))
    }

    @Test("We close in order: our end, then the server's")
    func closing() {
        var machine = self.established()
        #expect(machine.close() == [.sendStreamEnd])
        #expect(machine.elementReceived(element("<message/>")).isEmpty)
        #expect(machine.streamClosed() == [.finish])
        #expect(machine.close().isEmpty)
    }

    @Test("The server's end is answered with ours")
    func closedByServer() {
        var machine = self.established()
        #expect(machine.streamClosed() == [.sendStreamEnd, .finish, .failed(.closedByServer)])
    }

    @Test("Time runs out only until the stream is established")
    func timeout() {
        var machine = self.machine()
        _ = machine.connected()
        var established = self.established()
        #expect(machine.establishmentTimedOut().last == .failed(.establishmentTimedOut))
        #expect(established.establishmentTimedOut().isEmpty)
    }

    @Test("XML that breaks the rules ends the stream with the fitting error")
    func badXML() {
        var machine = self.established()
        let failure = StreamParserError.stanzaTooLarge(bytesMax: 1)
        #expect(
            machine.parserFailed(failure)
                == [
                    .send(StreamError(.policyViolation).element), .sendStreamEnd, .finish,
                    .failed(.unreadable(failure)),
                ]
        )
    }
}

import IMModel
import Testing
import XMPPBridge

@Suite struct PresenceTests {
    static let showTable: [(String, Presence.Availability)] = [
        ("", .available), ("<show>chat</show>", .chatty), ("<show>away</show>", .away),
        ("<show>xa</show>", .extendedAway), ("<show>dnd</show>", .busy),
    ]

    @Test("Each availability is read and written as the same show", arguments: showTable)
    func shows(show: String, availability: Presence.Availability) {
        let read = envelopes(fromBob("presence", "", show + "<status>s</status><priority>5</priority>"))
        var presence = Presence(availability, status: "s")
        presence.priority = 5
        #expect(read.map(\.content) == [.presence(presence)])
        let written = xml(toBob(.presence(presence), id: "p1"), id: "p1")
        #expect(
            written == "<presence from='alice@a.test' to='bob@b.test' id='p1'>\(show)<status>s</status>"
                + "<priority>5</priority></presence>"
        )
    }

    @Test("Signing off is offline, and so is written what nobody knows")
    func offline() {
        #expect(
            envelopes(fromBob("presence", "type='unavailable'", "")).map(\.content) == [.presence(Presence(.offline))]
        )
        for availability in [Presence.Availability.offline, .unknown] {
            #expect(
                xml(toBob(.presence(Presence(availability)), id: "p1"), id: "p1")
                    == "<presence from='alice@a.test' to='bob@b.test' id='p1' type='unavailable'/>"
            )
        }
    }

    @Test("A priority out of range is held to it")
    func priority() {
        var presence = Presence(.available)
        presence.priority = 1000
        #expect(xml(toBob(.presence(presence))).contains("<priority>127</priority>"))
    }

    static let steps: [(String, Subscription.Action)] = [
        ("subscribe", .request), ("subscribed", .accept), ("unsubscribed", .refuse), ("unsubscribe", .cancel),
        ("probe", .probe),
    ]

    @Test("Each step of a subscription is read and written as the same type, between bare addresses", arguments: steps)
    func subscriptions(type: String, action: Subscription.Action) {
        let read = envelopes(fromBob("presence", "type='\(type)' id='s1'", ""))
        #expect(read.map(\.content) == [.subscription(Subscription(action))])
        var envelope = toBob(.subscription(Subscription(action)), id: "s1")
        envelope.fromDevice = "laptop"
        envelope.toDevice = "phone"
        #expect(
            xml(envelope, id: "s1") == "<presence from='alice@a.test' to='bob@b.test' id='s1' type='\(type)'/>"
        )
    }

    @Test("A request brings the requester's name and words")
    func introduction() {
        let contents = "<status>from school</status><nick xmlns='http://jabber.org/protocol/nick'>Bobby</nick>"
        let subscription = Subscription(.request, name: "Bobby", text: "from school")
        #expect(
            envelopes(fromBob("presence", "type='subscribe'", contents)).map(\.content)
                == [.subscription(subscription)]
        )
        #expect(xml(toBob(.subscription(subscription))).contains(contents))
    }

    @Test("A presence that came back means nothing")
    func error() {
        #expect(envelopes(fromBob("presence", "type='error'", "")).isEmpty)
    }
}

import IMModel
import Testing

@testable import Directory

/// The tables of RFC 6121 Appendix A, entry by entry.
///
/// Columns: state before, passed on, state after. `!` stands for an answer in the owner's name (A.3.1, note 2), `*` for a
/// note of approval or its end (A.2.3 and A.2.4, note 1).
@Suite("Subscriptions, by the tables of RFC 6121 Appendix A")
struct SubscriptionMachineTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var before: SubscriptionState
        var verdict: String
        var after: SubscriptionState

        var testDescription: String { "\(before.rawValue) → \(after.rawValue)" }
    }

    static func table(_ text: String) -> [Row] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 3, let before = SubscriptionState(rawValue: words[0]),
                let after = words[2] == "=" ? before : SubscriptionState(rawValue: words[2])
            else { return nil }
            return Row(before: before, verdict: words[1], after: after)
        }
    }

    // MARK: Out

    static let outSubscribe = table(
        """
        none         yes  none+out
        none+out     yes  =
        none+in      yes  none+out+in
        none+out+in  yes  =
        to           yes  =
        to+in        yes  =
        from         yes  from+out
        from+out     yes  =
        both         yes  =
        """
    )

    static let outUnsubscribe = table(
        """
        none         yes  =
        none+out     yes  none
        none+in      yes  =
        none+out+in  yes  none+in
        to           yes  none
        to+in        yes  none+in
        from         yes  =
        from+out     yes  from
        both         yes  from
        """
    )

    static let outSubscribed = table(
        """
        none         no*  =
        none+out     no*  =
        none+in      yes  from
        none+out+in  yes  from+out
        to           no*  =
        to+in        yes  both
        from         no   =
        from+out     no   =
        both         no   =
        """
    )

    static let outUnsubscribed = table(
        """
        none         no*  =
        none+out     no*  =
        none+in      yes  none
        none+out+in  yes  none+out
        to           no*  =
        to+in        yes  to
        from         yes  none
        from+out     yes  none+out
        both         yes  to
        """
    )

    // MARK: In

    static let inSubscribe = table(
        """
        none         yes  none+in
        none+out     yes  none+out+in
        none+in      no   =
        none+out+in  no   =
        to           yes  to+in
        to+in        no   =
        from         no!  =
        from+out     no!  =
        both         no!  =
        """
    )

    static let inUnsubscribe = table(
        """
        none         no   =
        none+out     no   =
        none+in      yes  none
        none+out+in  yes  none+out
        to           no   =
        to+in        yes  to
        from         yes  none
        from+out     yes  none+out
        both         yes  to
        """
    )

    static let inSubscribed = table(
        """
        none         no   =
        none+out     yes  to
        none+in      no   =
        none+out+in  yes  to+in
        to           no   =
        to+in        no   =
        from         no   =
        from+out     yes  both
        both         no   =
        """
    )

    static let inUnsubscribed = table(
        """
        none         no   =
        none+out     yes  none
        none+in      no   =
        none+out+in  yes  none+in
        to           yes  none
        to+in        yes  none+in
        from         no   =
        from+out     yes  from
        both         yes  from
        """
    )

    @Test("Each table has a row for each state")
    func whole() {
        let tables = [
            Self.outSubscribe, Self.outUnsubscribe, Self.outSubscribed, Self.outUnsubscribed, Self.inSubscribe,
            Self.inUnsubscribe, Self.inSubscribed, Self.inUnsubscribed,
        ]
        for table in tables { #expect(table.map(\.before) == SubscriptionState.allCases) }
    }

    /// Takes one step from the row's state, and compares all that is not said in the row's note.
    private func check(_ row: Row, _ take: (inout SubscriptionMachine) -> SubscriptionMachine.Step) {
        var machine = SubscriptionMachine(row.before)
        let step = take(&machine)
        #expect(machine.state == row.after)
        #expect(step.isPassedOn == row.verdict.hasPrefix("yes"))
        #expect(step.reply == (row.verdict.hasSuffix("!") ? .accept : nil))
        let shows = (row.before.word, row.before.isPendingOut) != (row.after.word, row.after.isPendingOut)
        #expect(step.isPushed == (shows || machine.isApproved))
    }

    @Test("Outbound subscribe (A.2.1) always goes out", arguments: outSubscribe)
    func sendsRequest(_ row: Row) {
        check(row) { $0.send(.request) }
    }

    @Test("Outbound unsubscribe (A.2.2) always goes out", arguments: outUnsubscribe)
    func sendsCancel(_ row: Row) {
        check(row) { $0.send(.cancel) }
    }

    @Test(
        "Outbound subscribed (A.2.3) goes out if it was asked for, and else is an approval in advance",
        arguments: outSubscribed
    )
    func sendsAccept(_ row: Row) {
        check(row) { $0.send(.accept) }
        var machine = SubscriptionMachine(row.before)
        let step = machine.send(.accept)
        #expect(machine.isApproved == row.verdict.hasSuffix("*"))
        #expect(step.notice == (step.isPassedOn ? .current : nil))
    }

    @Test(
        "Outbound unsubscribed (A.2.4) goes out if there is something to take back, and ends an approval",
        arguments: outUnsubscribed
    )
    func sendsRefuse(_ row: Row) {
        check(row) { $0.send(.refuse) }
        var machine = SubscriptionMachine(row.before, isApproved: true)
        let step = machine.send(.refuse)
        #expect(!machine.isApproved)
        #expect(step.isPushed)
        #expect(step.notice == (row.before.isSeenByContact ? .unavailable : nil))
    }

    @Test("Inbound subscribe (A.3.1) is delivered once, and answered where it was granted", arguments: inSubscribe)
    func receivesRequest(_ row: Row) {
        check(row) { $0.receive(.request) }
    }

    @Test("Inbound subscribe that was approved in advance is granted and not delivered (§3.4)", arguments: inSubscribe)
    func receivesApprovedRequest(_ row: Row) {
        var machine = SubscriptionMachine(row.before, isApproved: true)
        let step = machine.receive(.request)
        #expect(!step.isPassedOn)
        guard !row.before.isPendingIn else {
            #expect(step == SubscriptionMachine.Step())
            return
        }
        #expect(machine.state.isSeenByContact)
        #expect(machine.state.seesContact == row.before.seesContact)
        #expect(machine.state.isPendingOut == row.before.isPendingOut)
        #expect(step.reply == .accept)
        #expect(step.notice == .current)
        #expect(step.isPushed == !row.before.isSeenByContact)
    }

    @Test("Inbound unsubscribe (A.3.2) is delivered if it ends something", arguments: inUnsubscribe)
    func receivesCancel(_ row: Row) {
        check(row) { $0.receive(.cancel) }
        var machine = SubscriptionMachine(row.before)
        #expect(machine.receive(.cancel).notice == (row.before.isSeenByContact ? .unavailable : nil))
    }

    @Test("Inbound subscribed (A.3.3) is delivered if it was waited for", arguments: inSubscribed)
    func receivesAccept(_ row: Row) {
        check(row) { $0.receive(.accept) }
    }

    @Test("Inbound unsubscribed (A.3.4) is delivered if it ends something", arguments: inUnsubscribed)
    func receivesRefuse(_ row: Row) {
        check(row) { $0.receive(.refuse) }
    }

    @Test("A probe changes nothing", arguments: SubscriptionState.allCases)
    func probes(_ state: SubscriptionState) {
        var machine = SubscriptionMachine(state)
        #expect(machine.send(.probe) == SubscriptionMachine.Step())
        #expect(machine.receive(.probe) == SubscriptionMachine.Step())
        #expect(machine == SubscriptionMachine(state))
    }

    @Test("A handshake both ways leads both sides to both")
    func handshake() {
        var alice = SubscriptionMachine()
        var bob = SubscriptionMachine()
        #expect(alice.send(.request).isPassedOn)
        #expect(bob.receive(.request).isPassedOn)
        #expect(bob.send(.accept).isPassedOn)
        #expect(alice.receive(.accept).isPassedOn)
        #expect((alice.state, bob.state) == (.to, .from))
        #expect(bob.send(.request).isPassedOn)
        #expect(alice.receive(.request).isPassedOn)
        #expect(alice.send(.accept).isPassedOn)
        #expect(bob.receive(.accept).isPassedOn)
        #expect((alice.state, bob.state) == (.both, .both))
    }
}

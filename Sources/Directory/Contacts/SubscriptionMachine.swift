package import IMModel

/// The handshake by which two people come to see each other's presence, from the side of one of them.
///
/// Pure: the caller stores what comes out, and sends what is to be sent.
///
/// Sources: RFC 6121 §3 and Appendix A; the tables for what comes in and for `subscribed` and `unsubscribed` going out are
/// the same in RFC 3921 §9.
package struct SubscriptionMachine: Hashable, Sendable {
    /// Where the two stand.
    package var state: SubscriptionState
    /// Whether the owner has said yes before the contact asked (RFC 6121 §3.4).
    package var isApproved: Bool

    package init(_ state: SubscriptionState = .none, isApproved: Bool = false) {
        self.state = state
        self.isApproved = isApproved
    }

    /// What the contact is to be told of the owner's presence.
    package enum PresenceNotice: Hashable, Sendable {
        /// What it is now.
        case current
        /// That it is not to be seen any more.
        case unavailable
    }

    /// What one step of the handshake asks of the caller.
    package struct Step: Hashable, Sendable {
        /// The step goes on to its addressee: out to the contact's network, or in to the owner.
        var isPassedOn = false
        /// The contact is answered at once in the owner's name.
        var reply: Subscription.Action?
        /// What the contact list shows has changed, and those who look at it are told.
        var isPushed = false
        /// What the contact is told besides.
        var notice: PresenceNotice?
    }

    // MARK: Out

    /// Takes a step of the owner's.
    ///
    /// Source: RFC 6121 §A.2. A probe is no step of the handshake and changes nothing.
    package mutating func send(_ action: Subscription.Action) -> Step {
        let before = self
        var step = Step()
        switch action {
        case .request:
            step.isPassedOn = true
            switch state {
            case .none: state = .nonePendingOut
            case .nonePendingIn: state = .nonePendingOutIn
            case .from: state = .fromPendingOut
            case .nonePendingOut, .nonePendingOutIn, .to, .toPendingIn, .fromPendingOut, .both: break
            }
        case .cancel:
            step.isPassedOn = true
            endTo()
        case .accept:
            switch state {
            case .nonePendingIn: state = .from
            case .nonePendingOutIn: state = .fromPendingOut
            case .toPendingIn: state = .both
            case .none, .nonePendingOut, .to: isApproved = true
            case .from, .fromPendingOut, .both: break
            }
            step.isPassedOn = before.state != state
            step.notice = step.isPassedOn ? .current : nil
        case .refuse:
            isApproved = false
            endFrom()
            step.isPassedOn = before.state != state
            step.notice = before.state.isSeenByContact ? .unavailable : nil
        case .probe:
            break
        }
        step.isPushed = differs(from: before)
        return step
    }

    // MARK: In

    /// Takes a step of the contact's.
    ///
    /// Source: RFC 6121 §A.3. A probe is no step of the handshake and changes nothing.
    package mutating func receive(_ action: Subscription.Action) -> Step {
        let before = self
        var step = Step()
        switch action {
        case .request where state.isSeenByContact:
            step.reply = .accept
            step.notice = .current
        case .request where isApproved && !state.isPendingIn:
            switch state {
            case .none: state = .from
            case .nonePendingOut: state = .fromPendingOut
            case .to: state = .both
            case .nonePendingIn, .nonePendingOutIn, .toPendingIn, .from, .fromPendingOut, .both: break
            }
            step.reply = .accept
            step.notice = .current
        case .request:
            switch state {
            case .none: state = .nonePendingIn
            case .nonePendingOut: state = .nonePendingOutIn
            case .to: state = .toPendingIn
            case .nonePendingIn, .nonePendingOutIn, .toPendingIn, .from, .fromPendingOut, .both: break
            }
            step.isPassedOn = before.state != state
        case .cancel:
            endFrom()
            step.isPassedOn = before.state != state
            step.notice = before.state.isSeenByContact ? .unavailable : nil
        case .accept:
            switch state {
            case .nonePendingOut: state = .to
            case .nonePendingOutIn: state = .toPendingIn
            case .fromPendingOut: state = .both
            case .none, .nonePendingIn, .to, .toPendingIn, .from, .both: break
            }
            step.isPassedOn = before.state != state
        case .refuse:
            endTo()
            step.isPassedOn = before.state != state
        case .probe:
            break
        }
        step.isPushed = differs(from: before)
        return step
    }

    // MARK: Helpers

    /// The owner neither sees the contact's presence nor waits for it.
    private mutating func endTo() {
        switch state {
        case .nonePendingOut, .to: state = .none
        case .nonePendingOutIn, .toPendingIn: state = .nonePendingIn
        case .fromPendingOut, .both: state = .from
        case .none, .nonePendingIn, .from: break
        }
    }

    /// The contact neither sees the owner's presence nor waits for it.
    private mutating func endFrom() {
        switch state {
        case .nonePendingIn, .from: state = .none
        case .nonePendingOutIn, .fromPendingOut: state = .nonePendingOut
        case .toPendingIn, .both: state = .to
        case .none, .nonePendingOut, .to: break
        }
    }

    /// Whether a contact list shows another state than before; that somebody waits for an answer is not shown in it.
    private func differs(from before: Self) -> Bool {
        state.word != before.state.word || state.isPendingOut != before.state.isPendingOut
            || isApproved != before.isApproved
    }
}

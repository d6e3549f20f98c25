package import IMModel

/// Something that is to pass between a home user and another network.
///
/// The bytes are borrowed for the call.
package struct PolicyQuestion {
    /// What is to pass.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A message, and what belongs to one: receipt, typing, failure.
        case message
        /// Presence, and what leads to it: subscriptions, contacts.
        case presence
        /// A step of an audio or video call.
        case call
    }

    /// Which way it goes, seen from the organisation.
    package enum Direction: Hashable, Sendable, CaseIterable {
        case incoming
        case outgoing
    }

    /// Bytes of the sender's address.
    package var from: UnsafeRawBufferPointer
    /// Bytes of the recipient's address.
    package var to: UnsafeRawBufferPointer
    package var kind: Kind
    package var direction: Direction
    /// The provider's number, see ``PolicySnapshot/number(of:)``; -1: the policy does not list it.
    package var provider: Int
    /// What the network says about the sender.
    package var vouching: Vouching
    /// In ms since 1970.
    package var now: Int64

    package init(
        from: UnsafeRawBufferPointer,
        to: UnsafeRawBufferPointer,
        kind: Kind,
        direction: Direction,
        provider: Int,
        vouching: Vouching = .absent,
        now: Int64
    ) {
        self.from = from
        self.to = to
        self.kind = kind
        self.direction = direction
        self.provider = provider
        self.vouching = vouching
        self.now = now
    }

    /// The home user.
    var local: UnsafeRawBufferPointer { direction == .outgoing ? from : to }
    /// The one at the other network.
    var remote: UnsafeRawBufferPointer { direction == .outgoing ? to : from }
}

/// What policy says to a question.
package enum PolicyDecision: Hashable, Sendable {
    /// - Parameter isDiscovered: the other side is a partner that nobody has listed: its rate is limited.
    case allow(isDiscovered: Bool)
    case refuse(PolicyReason)
}

/// Why policy refuses.
///
/// A few numbers, so that a decision allocates nothing; ``PolicySnapshot/refusal(for:_:)`` makes words of it.
package enum PolicyReason: Hashable, Sendable {
    case providerNotListed
    case providerDisabled(provider: Int)
    case federationOff
    /// - Parameter entry: index in the list of blocked domains.
    case domainBlocked(entry: Int)
    case partnerNotAllowed
    /// - Parameter place: index of the setting that decided.
    case accessDenied(AccessRight, place: Int)
    case noSeat(provider: Int)
    case seatNotBegun(seat: Int)
    case seatEnded(seat: Int)
    case serviceEnded(provider: Int)
    /// The network should have marked the sender, and has not.
    case notVouched(provider: Int)
    /// By the provider's verification level.
    case notContact(provider: Int)
    /// By the partner's type.
    case notContactOfPartner(partner: Int)

    /// The rule that refuses.
    package var rule: PolicyRule {
        switch self {
        case .providerNotListed, .providerDisabled: .provider
        case .federationOff: .edge
        case .domainBlocked, .partnerNotAllowed: .partner
        case .accessDenied(.publicAudioVideo, _): .audioVideo
        case .accessDenied: .access
        case .noSeat, .seatNotBegun, .seatEnded: .licence
        case .serviceEnded: .endOfLife
        case .notVouched, .notContact, .notContactOfPartner: .verification
        }
    }

    /// A short name for logs and machines.
    package var code: String {
        switch self {
        case .providerNotListed: "provider-not-listed"
        case .providerDisabled: "provider-disabled"
        case .federationOff: "federation-off"
        case .domainBlocked: "domain-blocked"
        case .partnerNotAllowed: "partner-not-allowed"
        case .accessDenied(.federation, _): "no-federation-access"
        case .accessDenied(.publicNetworks, _): "no-public-access"
        case .accessDenied(.publicAudioVideo, _): "no-public-audio-video"
        case .accessDenied(.xmpp, _): "no-xmpp-access"
        case .noSeat: "no-seat"
        case .seatNotBegun: "seat-not-begun"
        case .seatEnded: "seat-ended"
        case .serviceEnded: "service-ended"
        case .notVouched: "not-vouched"
        case .notContact, .notContactOfPartner: "not-a-contact"
        }
    }
}

/// The rules, in the order in which they are asked.
package enum PolicyRule: String, Hashable, Sendable, CaseIterable {
    case provider
    case edge
    case partner
    case access
    case audioVideo = "audio-video"
    case licence
    case endOfLife = "end-of-life"
    case verification
    /// What may be sent by those whom nobody has listed; asked by the router, which counts.
    case discovered
}

/// A refusal in words.
package struct PolicyRefusal: Hashable, Sendable {
    package var rule: PolicyRule
    /// See ``PolicyReason/code``.
    package var code: String
    /// For the sender.
    package var sentence: String
    /// For the operator.
    package var place: Place

    package init(rule: PolicyRule, code: String, sentence: String, place: Place) {
        self.rule = rule
        self.code = code
        self.sentence = sentence
        self.place = place
    }
}

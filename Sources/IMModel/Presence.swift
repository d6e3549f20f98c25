/// Whether a user can be reached, and what they say about it.
///
/// The latest value wins.
public struct Presence: Hashable, Sendable {
    /// How reachable a user is.
    public enum Availability: UInt32, Hashable, Sendable, CaseIterable {
        /// The link to the network is down: not the same as offline.
        case unknown = 0
        case offline = 1
        case available = 2
        case chatty = 3
        case away = 4
        case extendedAway = 5
        case busy = 6
    }

    /// How reachable.
    public var availability: Availability
    /// In the user's own words; may be empty.
    public var status: String
    /// The device's rank among the user's, -128...127.
    public var priority: Int32
    /// When it last changed, in ms since 1970; 0: not known.
    public var changed: Int64
    /// What the device can do in calls.
    public var abilities: CallEvent.Media

    /// Presence with the given availability and words.
    public init(_ availability: Availability, status: String = "") {
        self.availability = availability
        self.status = status
        self.priority = 0
        self.changed = 0
        self.abilities = []
    }
}

/// A step in the handshake by which one user comes to see another's presence.
public struct Subscription: Hashable, Sendable {
    /// The step.
    public enum Action: UInt32, Hashable, Sendable, CaseIterable {
        /// May I see your presence?
        case request = 1
        /// You may.
        case accept = 2
        /// You may not, or no longer.
        case refuse = 3
        /// I no longer want to.
        case cancel = 4
        /// What is it now?
        case probe = 5
    }

    /// The step.
    public var action: Action
    /// How the requester calls themselves; may be empty.
    public var name: String
    /// A word of introduction; may be empty.
    public var text: String

    /// A step without introduction.
    public init(_ action: Action, name: String = "", text: String = "") {
        self.action = action
        self.name = name
        self.text = text
    }
}

/// A change of an entry on the contact list of the envelope's recipient.
public struct ContactChange: Hashable, Sendable {
    /// What happened to the entry.
    public enum Change: UInt32, Hashable, Sendable, CaseIterable {
        case added = 1
        case changed = 2
        case removed = 3
    }

    /// What happened.
    public var change: Change
    /// Whose entry.
    public var address: Address
    /// The name it is listed under; may be empty.
    public var name: String
    /// The groups it is in, 0...64.
    public var groups: [String]

    /// The most groups of one contact.
    public static let groupsMax = 64

    /// A change of one entry.
    public init(_ change: Change, address: Address, name: String = "", groups: [String] = []) {
        self.change = change
        self.address = address
        self.name = name
        self.groups = groups
    }
}

/// One event in the life of an audio or video call.
public struct CallEvent: Hashable, Sendable {
    /// What happened.
    public enum Event: UInt32, Hashable, Sendable, CaseIterable {
        case invite = 1
        case ringing = 2
        case accept = 3
        case reject = 4
        case update = 5
        case candidates = 6
        case end = 7
    }

    /// Audio, video, or both.
    public struct Media: OptionSet, Hashable, Sendable {
        /// The bits of the plugin ABI.
        public let rawValue: UInt32

        /// From the bits of the plugin ABI.
        public init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        /// Sound.
        public static let audio = Media(rawValue: 1)
        /// Moving pictures.
        public static let video = Media(rawValue: 2)
    }

    /// What happened.
    public var event: Event
    /// The same in all events of one call.
    public var callID: String
    /// What is sent.
    public var media: Media
    /// SDP (RFC 8866), or candidate lines; may be empty.
    public var description: String
    /// For `reject` and `end`; may be empty.
    public var reason: String

    /// An event of the call `callID`.
    public init(_ event: Event, callID: String, media: Media = [], description: String = "", reason: String = "") {
        self.event = event
        self.callID = callID
        self.media = media
        self.description = description
        self.reason = reason
    }
}

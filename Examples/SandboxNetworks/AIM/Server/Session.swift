import OSCARWire

/// A user who is signed on, once.
struct Session: Sendable {
    let name: ScreenName
    /// nil: one of the sandbox's bots.
    let connection: Int?
    /// What the client said about other sessions (TLV 0x4A); nil: nothing.
    let sessions: UInt8?
    /// Number among the sessions of the account, from 1.
    let instance: UInt8
    let signedOnAt: UInt64
    /// The client's version of food group 01, by 01/17.
    var serviceVersion: UInt16 = 1
    /// 01/02 was sent: the user is there for others.
    var isReady = false
    /// 13/07 was sent: the contacts of the stored list are watched.
    var usesList = false
    /// The watched users of 03/04.
    var watched: Set<ScreenName> = []
    /// Whom this session was told to be there.
    var shown: Set<ScreenName> = []
    var awayText: [UInt8] = []
    var profile: MIMEText?
    var capabilities: [UInt8] = []
    var idleSince: UInt64?
    var status: UserInfo.Status = []
    var rates = RateBook()

    var isAway: Bool { !self.awayText.isEmpty }
    /// Whether somebody sits there, as far as the server knows.
    var isActive: Bool { !self.isAway && self.idleSince == nil }
    var isVisible: Bool { self.isReady && !self.status.contains(.invisible) }
}

/// A TCP connection to the sandbox.
struct Connection: Sendable {
    enum Phase: Sendable {
        /// The first frame is awaited.
        case opening
        /// A login by digest goes on.
        case login
        /// A session; its number.
        case session(Int)
    }

    /// The address of the other end.
    let address: String
    let openedAt: UInt64
    var phase = Phase.opening
    var sequence: UInt16 = 100
    var input: [UInt8] = []
    var frameCount = 0
    var lastFrameAt: UInt64
}

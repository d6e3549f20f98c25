import OSCARWire
import Testing

/// A message, with what is tried on each.
struct Sample: CustomTestStringConvertible, Sendable {
    /// Who sends it.
    enum Side: Sendable {
        case client
        case server
    }

    let side: Side
    let snac: SNAC
    /// Reads the message of a SNAC, and writes it into another.
    let rewrite: @Sendable (SNAC) throws -> SNAC
    /// Whether a SNAC has the sample in it.
    let isEqual: @Sendable (SNAC) throws -> Bool
    let testDescription: String

    init<Message: SNACMessage>(_ side: Side, _ message: Message) {
        do {
            self.snac = try SNAC(message, requestID: side == .client ? 7 : SNAC.serverStarted)
        } catch {
            preconditionFailure("a sample cannot be written: \(error)")
        }
        self.side = side
        self.rewrite = { try SNAC($0.message(Message.self), requestID: 7) }
        self.isEqual = { try $0.message(Message.self) == message }
        self.testDescription = "\(Message.kind) \(Message.self)"
    }
}

/// A name that can be one.
func name(_ text: String) -> ScreenName {
    guard let name = try? ScreenName(text) else { preconditionFailure("\(text) is no name") }
    return name
}

enum Samples {
    static let all = service + location + buddy + messages + privacy + feedbag + login

    static let user = UserInfo(
        name: name("Alice Test"),
        warning: 20,
        tlvs: TLVBlock([
            TLV(1, integer: UInt16(0x0030)), TLV(3, integer: UInt32(1_700_000_000)), TLV(4, integer: UInt16(10)),
            TLV(6, integer: UInt32(1)), TLV(0x0F, integer: UInt32(60)),
        ])
    )

    static let rateClass = RateClass(
        id: 3,
        window: 20,
        clear: 5_100,
        alert: 5_000,
        limit: 4_000,
        disconnect: 3_000,
        level: 6_000,
        max: 6_000,
        state: .init(time: 5, isDropping: false)
    )

    static let service = [
        Sample(.client, ClientReady(groups: [.init(family: 1, version: 4, tool: 0x110, toolVersion: 0x8F1)])),
        Sample(.server, HostOnline(families: [0x18, 0x10, 3, 0x13, 4, 0x15, 2, 1, 9, 0x0A, 6, 8, 0x0B])),
        Sample(.client, ServiceRequest(family: 0x10)),
        Sample(.server, ServiceRedirect(family: 0x10, host: "127.0.0.1:5190", cookie: [1, 2, 3])),
        Sample(.server, Pause()),
        Sample(.client, PauseAcknowledgement(families: [1, 2])),
        Sample(.server, Resume()),
        Sample(.server, Migration(families: [1, 4], host: "127.0.0.1:5190", cookie: [7])),
        Sample(.client, SelfInfoRequest()),
        Sample(.server, SelfInfo(blocks: [user])),
        Sample(.server, Warned(level: 100, warner: user)),
        Sample(.server, Warned(level: 100)),
        Sample(.client, IdleTime(seconds: 600)),
        Sample(.server, MessageOfTheDay(text: "Welcome")),
        Sample(.client, PrivacyFlags(flags: 3)),
        Sample(.client, Nothing()),
        Sample(.client, SetStatus([.away, .invisible])),
        Sample(.client, ClientVersions(versions: [FoodGroupVersion(1, 4), FoodGroupVersion(0x13, 4)])),
        Sample(.server, HostVersions(versions: [FoodGroupVersion(1, 4)])),
        Sample(.client, RatesRequest()),
        Sample(.server, Rates(classes: [rateClass], members: [.init(id: 3, kinds: [SNACKind(4, 6), SNACKind(2, 5)])])),
        Sample(.client, RatesAccepted(ids: [1, 2, 3, 4, 5])),
        Sample(.server, RateChange(.limited, rateClass)),
    ]

    static let location = [
        Sample(.client, LocationRightsRequest()),
        Sample(.server, LocationRights(tlvs: TLVBlock([TLV(1, integer: UInt16(1_000))]))),
        Sample(.client, SetLocation(capabilities: [.icqInterop, .utf8])),
        Sample(.client, SetLocation(away: MIMEText(text: "lunch"))),
        Sample(.client, SetLocation(away: nil)),
        Sample(.client, UserInfoRequest(mask: 2, name: name("bob"))),
        Sample(.client, UserInfoQuery(mask: UserInfoQuery.away, name: name("bob"))),
        Sample(.server, UserInfoReply(user: user, profile: MIMEText(text: "me"), away: MIMEText(text: "out"))),
    ]

    static let buddy = [
        Sample(.client, BuddyRightsRequest()),
        Sample(.server, BuddyRights(tlvs: TLVBlock([TLV(1, integer: UInt16(100))]))),
        Sample(.client, WatchBuddies(names: [name("bob"), name("Carol C")])),
        Sample(.client, UnwatchBuddies(names: [name("bob")])),
        Sample(.server, WatchRefused(names: [name("123456")])),
        Sample(.server, BuddyArrived(user: user)),
        Sample(.server, BuddyDeparted(user: UserInfo(name: name("alicetest")))),
    ]

    static let messages = [
        Sample(.client, SetMessageLimits(limits: MessageLimits(flags: 0x0B, bytesMax: 8_000))),
        Sample(.client, MessageLimitsRequest()),
        Sample(.server, MessageLimitsReply(channels: 100, limits: MessageLimits(flags: 3, bytesMax: 512))),
        Sample(
            .client,
            SendMessage(
                cookie: 0x0102_0304_0506_0708,
                channel: 1,
                recipient: name("bob test"),
                tlvs: TLVBlock([TLV(2, bytes("05 01 0001 01 01 01 0006 0000 0000 \"hi\"")), TLV(3), TLV(6)])
            )
        ),
        Sample(
            .server,
            IncomingMessage(
                cookie: 5,
                channel: 1,
                sender: user,
                tlvs: TLVBlock([TLV(2, bytes("05 01 0001 01 01 01 0006 0002 0000 00E9")), TLV(0x0B)])
            )
        ),
        Sample(.server, MissedMessages(entries: [.init(channel: 1, sender: user, count: 2, reason: 1)])),
        Sample(.client, MessageRefusal(cookie: 5, channel: 2, name: name("bob"), .unsupportedChannel)),
        Sample(.server, MessageAck(cookie: 5, channel: 1, recipient: name("bob test"))),
        Sample(.client, StoredMessagesRequest()),
        Sample(.server, StoredMessagesReply()),
        Sample(.client, TypingNotice(name: name("bob"), .typing)),
        Sample(.server, TypingNotice(name: name("bob"), .nothing)),
    ]

    static let privacy = [
        Sample(.client, PrivacyRightsRequest()),
        Sample(.server, PrivacyRights(tlvs: TLVBlock([TLV(1, integer: UInt16(100)), TLV(2, integer: UInt16(100))]))),
        Sample(.client, SetVisibleClasses(mask: 0x1F)),
        Sample(.client, AddPermits(names: [name("bob")])),
        Sample(.client, RemovePermits(names: [name("bob")])),
        Sample(.client, AddDenies(names: [name("bob")])),
        Sample(.client, RemoveDenies(names: [name("bob")])),
    ]

    static let item = FeedbagItem(
        .buddy,
        name: "bobtest",
        groupID: 1,
        itemID: 10,
        attributes: TLVBlock([TLV(FeedbagItem.Attribute.alias, text: "Bob é")])
    )

    static let feedbag = [
        Sample(.client, FeedbagRightsRequest()),
        Sample(.server, FeedbagRights(itemsMax: [61, 61, 100])),
        Sample(.client, FeedbagRequest()),
        Sample(.client, FeedbagCheck(changedAt: 1_700_000_000, count: 1)),
        Sample(.server, FeedbagReply(items: [item], changedAt: 1_700_000_000)),
        Sample(.client, FeedbagActivate()),
        Sample(.server, FeedbagUnchanged(changedAt: 1_700_000_000, count: 1)),
        Sample(.client, FeedbagBegin()),
        Sample(.client, FeedbagInsert(items: [item])),
        Sample(.client, FeedbagUpdate(items: [item])),
        Sample(.client, FeedbagDelete(items: [item])),
        Sample(.client, FeedbagEnd()),
        Sample(.server, FeedbagStatus(results: [.done, .exists])),
        Sample(.client, GrantAuthorization(.init(name: name("123456"), text: "you may"))),
        Sample(.server, AuthorizationGranted(.init(name: name("123456"), text: "you may"))),
        Sample(.client, RequestAuthorization(.init(name: name("123456"), text: "please"))),
        Sample(.server, AuthorizationRequested(.init(name: name("123456"), text: "please"))),
        Sample(.client, AnswerAuthorization(.init(name: name("123456"), isAllowed: true, text: "yes"))),
        Sample(.server, AuthorizationAnswered(.init(name: name("123456"), isAllowed: false, text: "no"))),
        Sample(.server, AddedByUser(name: name("123456"))),
    ]

    static let login = [
        Sample(.client, ChallengeRequest(name: name("Alice Test"))),
        Sample(.server, Challenge(key: Array("0123456789".utf8))),
        Sample(
            .client,
            LoginRequest(
                name: name("Alice Test"),
                digest: [UInt8](repeating: 9, count: 16),
                style: .hashed,
                client: ClientIdentity(name: "Plugboard"),
                sessions: .several
            )
        ),
        Sample(.server, LoginReply(name: "Alice Test", host: "127.0.0.1:5190", cookie: [1, 2, 3])),
        Sample(.server, LoginReply(name: "Alice Test", failure: .wrongPassword)),
    ]
}

package import OSCARWire

/// Signs an account on: the login on one connection, the beginning of the session on another.
///
/// A value that belongs to one thread, without I/O, clock or randomness. Whoever owns the connections calls
/// ``frameReceived(_:md5:)`` with what comes on the latest one, and performs the actions in order. After
/// ``Action/signedOn(_:)`` or ``Action/failed(_:)`` nothing more is done here.
package struct SignOnMachine: Sendable {
    /// What is to be done.
    package enum Action: Hashable, Sendable {
        /// Send a frame's bytes on the latest connection.
        case send([UInt8])
        /// Close the connection, and make one to this address, `host:port` or a host alone.
        case connect(address: String)
        /// The session has begun.
        case signedOn(SignedOn)
        /// A message came that is none of the sign-on's; it is for the session.
        case received(SNAC)
        /// Close the connection; the sign-on is over.
        case failed(SignOnFailure)
    }

    /// The most items of a list, over all its parts: far more than any server keeps.
    package static let itemsMax = 20_000

    /// How far it has come.
    package private(set) var step = SignOnStep.greeting
    private let plan: SignOnPlan
    private var cookie: [UInt8] = []
    private var frames = FrameCounter()
    private var requests: [SNACKind: UInt32] = [:]
    private var rates: Rates?
    private var info: UserInfo?
    private var messageLimits: MessageLimits?
    private var listRights: FeedbagRights?
    private var items: [FeedbagItem] = []

    /// Begins with a connection to the login server that is being made.
    package init(_ plan: SignOnPlan) { self.plan = plan }

    /// The frames and requests that were sent in the session, so that it can go on counting.
    package var counter: FrameCounter { self.frames }
}

// MARK: - Events

extension SignOnMachine {
    /// A frame came on the latest connection.
    ///
    /// - Parameter md5: RFC 1321.
    package mutating func frameReceived(_ frame: FLAPFrame, md5: ([UInt8]) -> [UInt8]) -> [Action] {
        do throws(OSCARWireError) {
            switch self.step {
            case .signedOn, .failed: return []
            case .greeting, .secondGreeting:
                guard frame.channel == .signOn else { return try self.ended(by: frame) }
                _ = try SignOnFrame(payload: frame.payload)
                return try self.greet()
            case .challenge, .verdict, .foodGroups, .versions, .rates, .limits, .list:
                guard frame.channel == .data else { return try self.ended(by: frame) }
                return try self.received(SNAC(payload: frame.payload), md5: md5)
            }
        } catch {
            return self.fail(.unreadable(error, during: self.step))
        }
    }

    /// The bytes of the latest connection are no frames.
    package mutating func bytesWereUnreadable(_ error: OSCARWireError) -> [Action] {
        self.fail(.unreadable(error, during: self.step))
    }

    /// The latest connection was closed by the server.
    package mutating func connectionClosed(_ ending: FLAPFrame.Ending = .clean) -> [Action] {
        self.fail(ending == .bareSignOff ? .signedOff(reason: SignOff.kicked) : .closed(during: self.step))
    }

    /// The time for the sign-on is over.
    package mutating func timedOut() -> [Action] { self.fail(.timedOut(during: self.step)) }

    private mutating func fail(_ failure: SignOnFailure) -> [Action] {
        guard self.step != .signedOn, self.step != .failed else { return [] }
        self.step = .failed
        return [.failed(failure)]
    }

    /// A frame came that is neither a greeting nor data: the answer to a roasted login, or an end.
    private mutating func ended(by frame: FLAPFrame) throws(OSCARWireError) -> [Action] {
        guard frame.channel == .signOff else { return [] }
        if self.step == .verdict {
            var reader = WireReader(frame.payload)
            return try self.judged(LoginReply(from: &reader))
        }
        return self.fail(.signedOff(reason: try SignOff(payload: frame.payload).reason))
    }
}

// MARK: - Login

extension SignOnMachine {
    private mutating func greet() throws(OSCARWireError) -> [Action] {
        if self.step == .secondGreeting {
            self.step = .foodGroups
            return [.send(try self.frames.frame(.signOn, SignOnFrame(cookie: self.cookie).encoded()))]
        }
        switch self.plan.method {
        case .roasted:
            self.step = .verdict
            let login = SignOnFrame(name: self.plan.name, password: self.plan.password, client: self.plan.client)
            return [.send(try self.frames.frame(.signOn, login.encoded()))]
        case .digest:
            self.step = .challenge
            let greeting = try self.frames.frame(.signOn, SignOnFrame().encoded())
            return [.send(greeting), try self.request(ChallengeRequest(name: self.plan.name))]
        }
    }

    private mutating func judged(_ reply: LoginReply) throws(OSCARWireError) -> [Action] {
        switch try reply.result() {
        case .refused(let failure): return self.fail(.refused(failure))
        case .redirected(let host, let cookie):
            self.cookie = cookie
            self.step = .secondGreeting
            self.frames = FrameCounter()
            self.requests = [:]
            return [.connect(address: host)]
        }
    }

    private func login(_ challenge: Challenge, style: PasswordDigest, md5: ([UInt8]) -> [UInt8]) -> LoginRequest {
        LoginRequest(
            name: self.plan.name,
            digest: style.compute(key: challenge.key, password: self.plan.password, md5: md5),
            style: style,
            client: self.plan.client,
            sessions: self.plan.sessions
        )
    }
}

// MARK: - Session

extension SignOnMachine {
    private mutating func received(_ snac: SNAC, md5: ([UInt8]) -> [UInt8]) throws(OSCARWireError) -> [Action] {
        // A server that counts logins says no before it is asked, and so with another id.
        if snac.kind == LoginReply.kind { return try self.judged(snac.message()) }
        switch (self.step, snac.kind) {
        case (.challenge, Challenge.kind):
            guard case .digest(let style) = self.plan.method else { return [] }
            self.step = .verdict
            return [try self.request(self.login(snac.message(), style: style, md5: md5))]
        case (.foodGroups, HostOnline.kind):
            self.step = .versions
            return [try self.request(ClientVersions(versions: SignOnPlan.versions))]
        case (.versions, HostVersions.kind):
            self.step = .rates
            return [try self.request(RatesRequest())]
        case (.rates, Rates.kind):
            let rates = try snac.message(Rates.self)
            self.rates = rates
            self.step = .limits
            return [
                try self.request(RatesAccepted(ids: rates.classes.map(\.id))), try self.request(SelfInfoRequest()),
                try self.request(LocationRightsRequest()), try self.request(BuddyRightsRequest()),
                try self.request(MessageLimitsRequest()), try self.request(PrivacyRightsRequest()),
                try self.request(FeedbagRightsRequest()),
            ]
        case (.limits, _): return try self.limitReceived(snac)
        case (.list, FeedbagReply.kind): return try self.listReceived(snac)
        default: return self.otherReceived(snac)
        }
    }

    private mutating func limitReceived(_ snac: SNAC) throws(OSCARWireError) -> [Action] {
        switch snac.kind {
        case SelfInfo.kind: self.info = try snac.message(SelfInfo.self).blocks.first
        case MessageLimitsReply.kind: self.messageLimits = try snac.message(MessageLimitsReply.self).limits
        case FeedbagRights.kind: self.listRights = try snac.message()
        // Their limits are not made use of.
        case LocationRights.kind, BuddyRights.kind, PrivacyRights.kind: return []
        default: return self.otherReceived(snac)
        }
        guard self.info != nil, self.messageLimits != nil, self.listRights != nil else { return [] }
        self.step = .list
        return [try self.request(FeedbagRequest())]
    }

    private mutating func listReceived(_ snac: SNAC) throws(OSCARWireError) -> [Action] {
        let reply = try snac.message(FeedbagReply.self)
        guard self.items.count + reply.items.count <= SignOnMachine.itemsMax else {
            throw .tooMany(
                list: "the stored list",
                count: self.items.count + reply.items.count,
                max: SignOnMachine.itemsMax
            )
        }
        self.items += reply.items
        guard snac.flags & SNAC.moreFollows == 0, let info, let rates, let messageLimits, let listRights else {
            return []
        }
        self.step = .signedOn
        let groups = SignOnPlan.versions.map { version in
            ClientReady.Group(
                family: version.family,
                version: version.version,
                tool: SignOnPlan.tool.id,
                toolVersion: SignOnPlan.tool.version
            )
        }
        // Messages, missed ones and typing states are wanted.
        let wanted = MessageLimits(flags: 0x0B, bytesMax: messageLimits.bytesMax)
        return [
            try self.request(SetMessageLimits(limits: wanted)), try self.request(FeedbagActivate()),
            try self.request(SetLocation(capabilities: self.plan.capabilities)),
            try self.request(ClientReady(groups: groups)),
            .signedOn(
                SignedOn(
                    info: info,
                    rates: rates,
                    messageLimits: messageLimits,
                    items: self.items,
                    listChangedAt: reply.changedAt,
                    listRights: listRights
                )
            ),
        ]
    }

    /// A refusal of one of our requests, or something that is not the sign-on's.
    private mutating func otherReceived(_ snac: SNAC) -> [Action] {
        guard snac.kind.subtype == SNACError.subtype else { return [.received(snac)] }
        // An id says nothing without the food group: others' ids come, too.
        let refused = self.requests.first { $0.value == snac.requestID && $0.key.family == snac.kind.family }
        guard let refused else { return [] }
        let needless = [LocationRightsRequest.kind, BuddyRightsRequest.kind, PrivacyRightsRequest.kind]
        if needless.contains(refused.key) { return [] }
        var reader = WireReader(snac.body)
        let code = (try? SNACError(from: &reader).code) ?? .invalid
        return self.fail(.requestRefused(refused.key, code))
    }

    private mutating func request<Message: SNACMessage>(_ message: Message) throws(OSCARWireError) -> Action {
        let (bytes, id) = try self.frames.request(message)
        self.requests[Message.kind] = id
        return .send(bytes)
    }
}

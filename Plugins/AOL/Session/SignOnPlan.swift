package import OSCARWire

/// How an account signs on.
package struct SignOnPlan: Sendable {
    /// How the password is shown.
    package enum Method: Hashable, Sendable {
        /// By a digest of it.
        case digest(PasswordDigest)
        /// Disguised, in the first frame: only for servers that know nothing better, or within TLS.
        case roasted
    }

    /// Whose session it is.
    package var name: ScreenName
    /// As the server's bytes; never logged.
    package var password: [UInt8]
    package var method: Method
    package var client: ClientIdentity
    /// What becomes of the account's other sessions.
    package var sessions: LoginRequest.Sessions
    /// What the client says it can do.
    package var capabilities: [Capability]

    /// Plans a sign-on that leaves other sessions alone.
    package init(
        name: ScreenName,
        password: [UInt8],
        method: Method = .digest(.hashed),
        client: ClientIdentity = ClientIdentity(name: "Plugboard"),
        sessions: LoginRequest.Sessions = .several,
        capabilities: [Capability] = [.icqInterop, .utf8]
    ) {
        self.name = name
        self.password = password
        self.method = method
        self.client = client
        self.sessions = sessions
        self.capabilities = capabilities
    }

    /// The food groups that are spoken, and in which versions.
    static let versions: [FoodGroupVersion] = [
        FoodGroupVersion(FoodGroup.service, 4), FoodGroupVersion(FoodGroup.location, 1),
        FoodGroupVersion(FoodGroup.buddy, 1), FoodGroupVersion(FoodGroup.messages, 1),
        FoodGroupVersion(FoodGroup.privacy, 1), FoodGroupVersion(FoodGroup.feedbag, 4),
    ]

    /// The number and version of the tool that 01/02 names for each food group.
    static let tool: (id: UInt16, version: UInt16) = (0x0110, 0x08F1)
}

/// What a server has said when the session begins.
package struct SignedOn: Hashable, Sendable {
    /// What others see of the user.
    package var info: UserInfo
    package var rates: Rates
    package var messageLimits: MessageLimits
    /// The stored list.
    package var items: [FeedbagItem]
    /// When the list was last changed, seconds since 1970.
    package var listChangedAt: UInt32
    /// The most items of a class that the server keeps.
    package var listRights: FeedbagRights

    /// Puts it together.
    package init(
        info: UserInfo,
        rates: Rates,
        messageLimits: MessageLimits,
        items: [FeedbagItem],
        listChangedAt: UInt32,
        listRights: FeedbagRights
    ) {
        self.info = info
        self.rates = rates
        self.messageLimits = messageLimits
        self.items = items
        self.listChangedAt = listChangedAt
        self.listRights = listRights
    }
}

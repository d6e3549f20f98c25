/// What a plugin says of itself: who it is, what its network can do, what can be configured and called.
public struct Descriptor: Sendable {
    /// Unique, a reversed domain name: `org.example.aim`.
    public var id: String
    /// For people: `AOL Instant Messenger`.
    public var name: String
    /// The plugin's version, such as `1.2.0`.
    public var version: String
    /// Who made it.
    public var vendor: String
    /// What the network can do; what is not listed is not offered.
    public var capabilities: [Capability]
    /// What can be configured.
    public var settings: [SettingSchema]
    /// What operators can call.
    public var commands: [Command]

    /// A plugin's description.
    public init(
        id: String,
        name: String,
        version: String,
        vendor: String,
        capabilities: [Capability],
        settings: [SettingSchema],
        commands: [Command] = []
    ) {
        self.id = id
        self.name = name
        self.version = version
        self.vendor = vendor
        self.capabilities = capabilities
        self.settings = settings
        self.commands = commands
    }
}

/// One thing a network can do.
public struct Capability: Sendable {
    /// How well.
    public enum Level: UInt32, Sendable {
        /// The plugin's README says what is missing.
        case partial = 1
        case full = 2
    }

    /// What it is, such as `messages`, `receipts.delivered`, `typing`, `presence`, `contacts`, `calls.audio`.
    public var name: String
    /// How well.
    public var level: Level
    /// Bytes of text for `messages`, entries for `contacts`; 0: no limit.
    public var limit: UInt64

    /// A capability at the given level.
    public init(_ name: String, _ level: Level = .full, limit: UInt64 = 0) {
        self.name = name
        self.level = level
        self.limit = limit
    }
}

/// One setting that an operator can write.
public struct SettingSchema: Sendable {
    /// The type of the value, with its range.
    public enum Kind: Sendable {
        case string
        case integer(ClosedRange<Int64>)
        case boolean
        /// Written `250ms`, `5s`, `10m`, `48h`. The range is in ms.
        case duration(ClosedRange<Int64>)
        /// Written `512`, `64KiB`, `1MiB`. The range is in bytes.
        case size(ClosedRange<Int64>)
        case choice([String])
        /// `host:port`.
        case address
        /// Written `env:NAME` or `file:PATH`.
        case secret
    }

    /// Where it stands: `listen[]`, `partners[].domain`.
    public var path: String
    /// Its type and range.
    public var kind: Kind
    /// The value that counts if none is written, as it would be written.
    public var standard: String?
    /// Whether it must be written (in each element, where the path has `[]`).
    public var isRequired: Bool
    /// What it is for, in one sentence.
    public var help: String

    /// The schema of one setting.
    public init(_ path: String, _ kind: Kind, standard: String? = nil, isRequired: Bool = false, help: String) {
        self.path = path
        self.kind = kind
        self.standard = standard
        self.isRequired = isRequired
        self.help = help
    }
}

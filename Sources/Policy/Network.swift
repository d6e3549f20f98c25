/// What a provider connects with, in the words of policy: which permission it needs, which licence, and until when it
/// was announced to live.
///
/// The operator's configuration overrides licence and date.
package enum Network: String, Hashable, Sendable, CaseIterable {
    case aol
    case windowsLive = "windows-live"
    case yahoo
    case skype
    case xmpp
    /// Another organisation, by SIP.
    case sip
    /// Another organisation, by a protocol that policy does not know.
    case other

    /// Which permission of a user it needs.
    package var access: AccessRight {
        switch self {
        case .aol, .windowsLive, .yahoo, .skype: .publicNetworks
        case .xmpp: .xmpp
        case .sip, .other: .federation
        }
    }

    /// Whether its domains are other organisations', which are allowed or blocked one by one.
    package var hasPartners: Bool { access != .publicNetworks }

    /// The licence that it needs beyond the base licence, where it is known.
    package var licence: String? { self == .yahoo ? LicenceRule.publicIM.id : nil }

    /// The last day of service that was announced.
    package var endOfLife: PolicyDate? {
        switch self {
        case .aol, .yahoo: PolicyDate("2014-06-30")
        case .windowsLive, .skype, .xmpp, .sip, .other: nil
        }
    }

    /// The network that a plugin's name suggests.
    ///
    /// - Parameter plugin: such as `WindowsLive` or `/opt/libYahoo.so`.
    package init(guessedFrom plugin: String) {
        let file = plugin.split(separator: "/").last.map(String.init) ?? plugin
        let name = file.lowercased().filter { $0.isLetter }
        let marks: [(String, Network)] = [
            ("windowslive", .windowsLive), ("yahoo", .yahoo), ("skype", .skype), ("aol", .aol), ("xmpp", .xmpp),
            ("sip", .sip),
        ]
        self = marks.first { name.contains($0.0) }?.1 ?? .other
    }
}

/// What an external access policy allows or not.
package enum AccessRight: Int, Hashable, Sendable, CaseIterable {
    /// Other organisations.
    case federation
    /// Public networks.
    case publicNetworks
    /// Audio and video with public networks, beyond ``publicNetworks``.
    case publicAudioVideo
    /// Other organisations by XMPP.
    case xmpp

    /// The key in the configuration.
    package var key: String {
        switch self {
        case .federation: "federation"
        case .publicNetworks: "public"
        case .publicAudioVideo: "public_audio_video"
        case .xmpp: "xmpp"
        }
    }
}

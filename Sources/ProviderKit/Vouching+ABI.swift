internal import CPlugboard
package import IMModel

extension Vouching {
    /// What an envelope's flags say of its author; both at once count as not known.
    package init(flags: UInt16) {
        if flags & PLUGBOARD_ENVELOPE_UNVERIFIED != 0 {
            self = .unverified
        } else {
            self = flags & PLUGBOARD_ENVELOPE_VERIFIED != 0 ? .verified : .absent
        }
    }

    /// The envelope's flags for it.
    var flags: UInt16 {
        switch self {
        case .absent: 0
        case .verified: PLUGBOARD_ENVELOPE_VERIFIED
        case .unverified: PLUGBOARD_ENVELOPE_UNVERIFIED
        }
    }
}

/// Which program logs in.
package struct ClientIdentity: Hashable, Sendable {
    /// Name and version, for people.
    package var name: String
    /// AOL's number of the program.
    package var id: UInt16
    /// Version, in four parts.
    package var major: UInt16
    package var minor: UInt16
    package var lesser: UInt16
    package var build: UInt16
    /// AOL's number of the channel that it was given out by.
    package var distribution: UInt32
    /// Two letters.
    package var language: String
    /// Two letters.
    package var country: String

    /// Describes a program.
    package init(
        name: String,
        id: UInt16 = 0x0109,
        major: UInt16 = 1,
        minor: UInt16 = 0,
        lesser: UInt16 = 0,
        build: UInt16 = 1,
        distribution: UInt32 = 0,
        language: String = "en",
        country: String = "us"
    ) {
        self.name = name
        self.id = id
        self.major = major
        self.minor = minor
        self.lesser = lesser
        self.build = build
        self.distribution = distribution
        self.language = language
        self.country = country
    }

    var tlvs: [TLV] {
        [
            TLV(0x03, text: self.name),
            TLV(0x16, integer: self.id),
            TLV(0x17, integer: self.major),
            TLV(0x18, integer: self.minor),
            TLV(0x19, integer: self.lesser),
            TLV(0x1A, integer: self.build),
            TLV(0x14, integer: self.distribution),
            TLV(0x0F, text: self.language),
            TLV(0x0E, text: self.country),
        ]
    }
}

/// An XMPP address, `local@domain/resource`, always in prepared form.
///
/// RFC 7622 (partial: with the string profiles of its predecessor).
///
/// The parts are prepared with the string profiles of RFC 6122, which Prosody and ejabberd use too, so that two JIDs are
/// the same address exactly when they are equal. Code points that Unicode 3.2 did not know are allowed.
package struct JID: Hashable, Sendable, CustomStringConvertible {
    /// Most bytes of a part, in UTF-8 (RFC 7622 §3.1).
    package static let partBytesMax = 1023

    /// The local part, nil when there is none.
    package let local: String?
    /// The domain: lower case, without a dot at its end, international labels in Unicode.
    package let domain: String
    /// The resource, nil when there is none.
    package let resource: String?

    /// Reads and prepares `local@domain/resource` (RFC 7622 §3.1).
    package init(_ string: String) throws(JIDError) {
        let slash = string.utf8.firstIndex(of: UInt8(ascii: "/"))
        let bare = string[..<(slash ?? string.endIndex)]
        let resource = slash.map { string[string.utf8.index(after: $0)...] }
        if let at = bare.utf8.firstIndex(of: UInt8(ascii: "@")) {
            try self.init(local: bare[..<at], domain: bare[bare.utf8.index(after: at)...], resource: resource)
        } else {
            try self.init(local: Substring?.none, domain: bare, resource: resource)
        }
    }

    /// Prepares the parts; nil for one that is absent, while an empty one is an error.
    package init<Text: StringProtocol>(
        local: Text?,
        domain: Text,
        resource: Text? = nil
    ) throws(JIDError) {
        if let local {
            self.local = try StringPrep.prepare(String(local), part: .local)
        } else {
            self.local = nil
        }
        self.domain = try DomainName.prepare(String(domain))
        if let resource {
            self.resource = try StringPrep.prepare(String(resource), part: .resource)
        } else {
            self.resource = nil
        }
    }

    private init(preparedLocal: String?, domain: String, resource: String?) {
        self.local = preparedLocal
        self.domain = domain
        self.resource = resource
    }

    /// The same address without its resource.
    package var bare: JID {
        JID(preparedLocal: self.local, domain: self.domain, resource: nil)
    }

    /// The domain alone.
    package var domainOnly: JID {
        JID(preparedLocal: nil, domain: self.domain, resource: nil)
    }

    /// The same bare address with a resource, which is prepared.
    package func with(resource: String) throws(JIDError) -> JID {
        let resource = try StringPrep.prepare(resource, part: .resource)
        return JID(preparedLocal: self.local, domain: self.domain, resource: resource)
    }

    /// Whether there is no resource.
    package var isBare: Bool { self.resource == nil }

    /// Whether there is neither local part nor resource.
    package var isDomain: Bool { self.local == nil && self.resource == nil }

    /// `local@domain/resource`, in prepared form.
    package var description: String {
        var description = self.domain
        if let local = self.local {
            description = local + "@" + description
        }
        if let resource = self.resource {
            description += "/" + resource
        }
        return description
    }
}

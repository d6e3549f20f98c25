/// `tls:` whom the router trusts, and who it is.
package struct TLSSection: Hashable, Sendable {
    /// A certificate chain and its key.
    package struct Identity: Hashable, Sendable {
        /// The domain that it proves, in small letters.
        package var domain: String
        /// A PEM file with the certificate first, then its issuers; an absolute path.
        package var certificate: String
        /// The private key, in PEM.
        package var key: SecretReference
    }

    /// PEM files of the authorities that are trusted, by absolute path; `nil` for the system's.
    package var trust: [String]?
    /// In the order of the file.
    package var identities: [Identity]

    static let rules = [
        SettingRule("tls", .map),
        SettingRule("tls.trust", .list, help: "PEM files of trusted authorities; the system's if absent"),
        SettingRule("tls.trust[]", .string),
        SettingRule("tls.identities", .map, help: "the router's own certificates, by domain"),
        SettingRule(
            "tls.identities.*.certificate",
            .string,
            isRequired: true,
            help: "a PEM file with the certificate and its issuers"
        ),
        SettingRule(
            "tls.identities.*.key",
            .secret,
            isRequired: true,
            help: "the private key: 'file:PATH' or 'env:NAME'"
        ),
    ]

    init(_ root: SettingNode, _ context: inout SectionContext) {
        let node = root["tls"]
        let path = SettingPath([.key("tls")])
        if let trust = node?["trust"] {
            self.trust = trust.elements.enumerated().map { index, element in
                context.existingPath(element, at: path.appending(key: "trust").appending(index: index))
            }
            if trust.elements.isEmpty, case .list = trust.value {
                context.problems.error(
                    "tls.trust is empty: nobody would be trusted",
                    at: trust.position,
                    path: path.appending(key: "trust"),
                    suggestion: "remove it to trust the system's authorities"
                )
            }
        }
        self.identities = []
        for member in node?["identities"]?.members ?? [] {
            self.addIdentity(member, in: path.appending(key: "identities"), &context)
        }
    }

    private mutating func addIdentity(
        _ member: SettingNode.Member,
        in path: SettingPath,
        _ context: inout SectionContext
    ) {
        guard let domain = context.domain(member, in: path) else { return }
        guard !self.identities.contains(where: { $0.domain == domain }) else {
            context.problems.error(
                "the domain '\(domain)' is there twice in \(path)",
                at: member.keyPosition,
                path: path.appending(key: member.key),
                suggestion: "capital letters make no difference in a domain"
            )
            return
        }
        let own = path.appending(key: member.key)
        guard let certificate = member.node["certificate"], certificate.text != nil else { return }
        let certificatePath = context.existingPath(certificate, at: own.appending(key: "certificate"))
        guard
            let key = member.node["key"],
            let reference = key.text.flatMap({ SecretReference(parsing: $0, in: context.directory) })
        else { return }
        Self.checkKeyFile(reference, at: key.position, path: own.appending(key: "key"), &context)
        self.identities.append(Identity(domain: domain, certificate: certificatePath, key: reference))
    }

    private static func checkKeyFile(
        _ reference: SecretReference,
        at position: SourcePosition,
        path: SettingPath,
        _ context: inout SectionContext
    ) {
        guard case .file(let file) = reference else { return }
        if let reason = FileReading.whyUnreadable(file, isDirectory: false) {
            context.problems.error(
                "\(path): cannot read \(Shown.quoted(file)): \(reason)",
                at: position,
                path: path
            )
        } else if FileReading.isReadableByEverybody(file) {
            context.problems.warning(
                "\(path): every user of this machine can read the private key \(Shown.quoted(file))",
                at: position,
                path: path,
                suggestion: "run: chmod 600 \(file)"
            )
        }
    }
}

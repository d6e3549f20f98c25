extension PolicyRules {
    /// One setting as people read it, also where the file says nothing and the default counts.
    package struct Setting: Hashable, Sendable {
        /// What it is of, without regard to the order in the file: `providers.yahoo.enabled`, `partners.blocked.spam.example`.
        package var name: String
        package var value: String
        package var place: Place
    }

    /// All settings, in the order of the sections.
    package var settings: [Setting] {
        [
            Setting("federation", federation),
            Setting("partner_discovery", partnerDiscovery),
            Setting("discovered.messages_per_second", discovered.value.messagesPerSecond, discovered.place),
            Setting("discovered.targets", discovered.value.targets, discovered.place),
        ]
            + providers.flatMap(\.settings) + allowed.map(\.setting)
            + blocked.map { Setting("partners.blocked.\($0.value)", "blocked", $0.place) }
            + accessSettings + licences.map(\.setting) + seats.map(\.setting)
    }

    private var accessSettings: [Setting] {
        global.settings("access.global")
            + domains.sorted { $0.key < $1.key }.flatMap { $0.value.settings("access.domains.\($0.key)") }
            + users.sorted { $0.key < $1.key }.flatMap { $0.value.settings("access.users.\($0.key)") }
    }
}

extension PolicyRules.Setting {
    fileprivate init(_ name: String, _ value: some CustomStringConvertible, _ place: Place) {
        self.init(name: name, value: value.description, place: place)
    }

    fileprivate init(_ name: String, _ placed: Placed<Bool>) {
        self.init(name, placed.value, placed.place)
    }
}

extension ProviderRule {
    fileprivate var settings: [PolicyRules.Setting] {
        let own = "providers.\(name)"
        return [
            .init("\(own).network", network.rawValue, place),
            .init("\(own).enabled", enabled),
            .init("\(own).verification", verification.value.rawValue, verification.place),
            .init("\(own).licence", licence?.value ?? "none", licence?.place ?? place),
            .init("\(own).end_of_life", endOfLife?.value.description ?? "none", endOfLife?.place ?? place),
            .init("\(own).passed_dates", passedDates.value.rawValue, passedDates.place),
        ] + (proxy.map { [.init("\(own).proxy", $0.value, $0.place)] } ?? [])
    }
}

extension PartnerRule {
    fileprivate var setting: PolicyRules.Setting {
        var parts = [type.value.rawValue]
        if !otherDomains.isEmpty { parts.append("also \(otherDomains.joined(separator: " "))") }
        if let proxy { parts.append("proxy \(proxy.value)") }
        return .init("partners.allowed.\(domain)", parts.joined(separator: ", "), place)
    }
}

extension AccessRule {
    fileprivate func settings(_ scope: String) -> [PolicyRules.Setting] {
        AccessRight.allCases.compactMap { right in
            rights[right].map { .init("\(scope).\(right.key)", $0) }
        }
    }
}

extension LicenceRule {
    fileprivate var setting: PolicyRules.Setting {
        let closed = closedFrom.map { ", closed from \($0.value)" } ?? ""
        return .init("licences.\(id)", name + closed, place)
    }
}

extension Seat {
    fileprivate var setting: PolicyRules.Setting {
        let period = "from \(from)" + (until.map { " until \($0)" } ?? "")
        return .init("seats.\(user).\(licence).\(from)", period, place)
    }
}

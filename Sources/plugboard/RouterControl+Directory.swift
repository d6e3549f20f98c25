internal import Configuration
internal import ControlSocket
internal import Directory
internal import Foundation
internal import IMModel
internal import Router

// The home users' directory, for the operator.
extension RouterControl {
    func directory(
        _ command: DirectoryCommand,
        _ request: ControlRequest,
        _ respond: ControlResponder
    ) async throws(ControlFailure) {
        switch command {
        case .users:
            let query = try request.arguments(as: UserQuery.self)
            let user = if let user = query.user { try address(user) } else { nil as Address? }
            for report in try await asked({ () async throws(HomeError) in try await router.users(user) }) {
                try await respond.send(UserItem(report))
            }
        case .setPresence:
            try await setPresence(try request.arguments(as: PresenceRequest.self))
        case .contacts:
            let user = try address(try request.arguments(as: UserQuery.self).user ?? "")
            for report in try await asked({ () async throws(HomeError) in try await router.contacts(of: user) }) {
                try await respond.send(ContactItem(report.contact, report.presence))
            }
        case .changeContact:
            try await respond.send(try await changeContact(try request.arguments(as: ContactChangeRequest.self)))
        case .accounts:
            let user = try address(try request.arguments(as: UserQuery.self).user ?? "")
            let accounts = try await asked { () async throws(HomeError) in
                try await router.accounts(of: user) { accounts throws(DirectoryError) in try accounts.accounts(of: user)
                }
            }
            for account in accounts { try await respond.send(AccountItem(account)) }
        case .linkAccount:
            try await link(try request.arguments(as: AccountRequest.self))
        case .unlinkAccount:
            let request = try request.arguments(as: AccountRequest.self)
            let user = try address(request.user)
            try await asked { () async throws(HomeError) in
                try await router.accounts(of: user) { accounts throws(DirectoryError) in
                    try accounts.unlink(user: user, provider: request.provider, account: request.account)
                }
            }
        }
    }

    private func setPresence(_ request: PresenceRequest) async throws(ControlFailure) {
        let user = try address(request.user)
        let known = Presence.Availability.allCases.filter { $0 != .unknown }
        guard let availability = known.first(where: { "\($0)" == request.availability }) else {
            let words = known.map { "\($0)" }.joined(separator: ", ")
            throw ControlFailure(.badRequest, "'\(request.availability)' is no availability: use \(words)")
        }
        guard let priority = Int8(exactly: request.priority) else {
            throw ControlFailure(.badRequest, "a priority is -128 to 127, not \(request.priority)")
        }
        var presence = Presence(availability, status: request.status)
        presence.priority = Int32(priority)
        try await asked { () async throws(HomeError) in
            try await router.setPresence(presence, of: user, device: request.device)
        }
    }

    private func changeContact(
        _ request: ContactChangeRequest
    ) async throws(ControlFailure) -> ContactChangeResult {
        let user = try address(request.user)
        let contact = try address(request.contact)
        let change: ContactListChange =
            switch request.change {
            case .add: .add(name: request.name, groups: request.groups, asks: request.asks)
            case .edit: .edit(name: request.name, groups: request.groups)
            case .remove: .remove
            case .approve: .approve
            case .deny: .deny
            }
        let report = try await asked { () async throws(HomeError) in
            try await router.change(contact, of: user, change)
        }
        return ContactChangeResult(contact: report.contact.map { ContactItem($0, nil) }, refusal: report.refusal)
    }

    private func link(_ request: AccountRequest) async throws(ControlFailure) {
        let user = try address(request.user)
        let providers = router.currentConfiguration.providers.map(\.name)
        guard providers.contains(request.provider) else {
            let known = providers.isEmpty ? "there is none" : "there are \(providers.joined(separator: ", "))"
            throw ControlFailure(.notFound, "no provider is called '\(request.provider)': \(known)")
        }
        let account = LinkedAccount(
            user: user,
            provider: request.provider,
            account: request.account,
            linked: Int64(Date().timeIntervalSince1970 * 1000)
        )
        let password = Array((request.password ?? "").utf8)
        try await asked { () async throws(HomeError) in
            try await router.accounts(of: user) { accounts throws(DirectoryError) in
                try accounts.link(account, password: password)
            }
        }
    }

    /// Asks the router, and says its refusal in the control socket's way.
    @discardableResult
    private func asked<Value>(_ body: () async throws(HomeError) -> Value) async throws(ControlFailure) -> Value {
        do throws(HomeError) {
            return try await body()
        } catch {
            let code: ControlFailure.Code =
                switch error {
                case .noUser: .notFound
                case .notRunning, .directory(.file), .directory(.vault): .internal
                case .directory: .badRequest
                }
            throw ControlFailure(code, "\(error)")
        }
    }
}

extension PresenceItem {
    fileprivate init(_ presence: Presence) {
        self.init(
            availability: "\(presence.availability)",
            status: presence.status,
            priority: Int(presence.priority),
            changed: presence.changed
        )
    }
}

extension UserItem {
    fileprivate init(_ report: Router.UserReport) {
        self.init(
            address: report.address.description,
            presence: PresenceItem(report.presence),
            devices: report.devices.map { Device(name: $0.name, presence: PresenceItem($0.presence)) },
            contacts: report.contacts,
            requests: report.requests
        )
    }
}

extension ContactItem {
    fileprivate init(_ contact: Contact, _ presence: Presence?) {
        self.init(
            address: contact.address.description,
            name: contact.name,
            groups: contact.groups,
            subscription: contact.state.word,
            asked: contact.state.isPendingOut,
            requests: contact.state.isPendingIn,
            approved: contact.isApproved,
            listed: contact.isListed,
            introduction: contact.introduction,
            presence: presence.map(PresenceItem.init)
        )
    }
}

extension AccountItem {
    fileprivate init(_ account: LinkedAccount) {
        self.init(provider: account.provider, account: account.account, linked: account.linked)
    }
}

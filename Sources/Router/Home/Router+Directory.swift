package import Directory
internal import HostServices
package import IMModel
internal import NIOCore
internal import PluginHost

// The home users' contacts, presence and accounts, for those who are not on a worker.
extension Router {
    /// A home user, as far as the directory knows.
    package struct UserReport: Hashable, Sendable {
        package var address: Address
        /// Of all devices together.
        package var presence: Presence
        package var devices: [Device]
        /// How many are on their contact list.
        package var contacts: Int
        /// How many wait for their answer.
        package var requests: Int

        package struct Device: Hashable, Sendable {
            package var name: String
            package var presence: Presence
        }
    }

    /// A contact, with what its user last heard of it.
    package struct ContactReport: Hashable, Sendable {
        package var contact: Contact
        /// Nil: nothing, or it is not to be seen.
        package var presence: Presence?
    }

    /// What came of changing a contact list.
    package struct ContactChangeReport: Hashable, Sendable {
        /// Nil: the contact is not there any more.
        package var contact: Contact?
        /// Why what had to be sent was not taken; nil: it was, or nothing had to be.
        package var refusal: String?
    }

    /// Users with an address in a home domain: those that the configuration lists, and those of whom something is known;
    /// in the order of their addresses.
    ///
    /// - Parameter user: this one alone.
    package func users(_ user: Address? = nil) async throws(HomeError) -> [UserReport] {
        let index = directory.contacts.index
        return try await onHome { provider, answer in
            if let user {
                guard provider.serves(user) else { return answer(.failure(.noUser(user))) }
                return answer(.success([provider.report(user)]))
            }
            let known = Set(index.owners + provider.book.homeUsers).filter(provider.serves)
            let all = known.union(provider.listedUsers)
            answer(.success(all.sorted { $0.description < $1.description }.map(provider.report)))
        }
    }

    /// Takes over the presence of a home user's device.
    package func setPresence(_ presence: Presence, of user: Address, device: String) async throws(HomeError) {
        let _: Bool = try await onHome { provider, answer in
            provider.setPresence(presence, of: user, device: device) { error in
                answer(error.map { .failure($0) } ?? .success(true))
            }
        }
    }

    /// Everybody on a home user's list, and those who wait for an answer, in the order of their addresses.
    package func contacts(of owner: Address) async throws(HomeError) -> [ContactReport] {
        try await onHome { provider, answer in
            guard provider.serves(owner) else { return answer(.failure(.noUser(owner))) }
            provider.onDisk { directory throws(DirectoryError) in
                try directory.contacts.contacts(of: owner)
            } then: { provider, result in
                answer(
                    result.map { contacts in
                        contacts.map { contact in
                            let presence =
                                contact.state.seesContact
                                ? provider.book.presence(of: contact.address, seenBy: owner) : nil
                            return ContactReport(contact: contact, presence: presence)
                        }
                    }.mapError { .directory($0) }
                )
            }
        }
    }

    /// Changes a home user's contact list, and sends what has to be sent.
    package func change(
        _ contact: Address,
        of owner: Address,
        _ change: ContactListChange
    ) async throws(HomeError) -> ContactChangeReport {
        try await onHome { provider, answer in
            provider.change(contact, of: owner, change) { result in
                answer(result.map { ContactChangeReport(contact: $0.contact, refusal: $0.refusal) })
            }
        }
    }

    /// A home user's linked accounts, or changes them.
    package func accounts<Value: Sendable>(
        of user: Address,
        _ body: @escaping @Sendable (LinkedAccounts) throws(DirectoryError) -> Value
    ) async throws(HomeError) -> Value {
        try await onHome { provider, answer in
            guard provider.serves(user) else { return answer(.failure(.noUser(user))) }
            provider.onDisk { directory throws(DirectoryError) in
                try body(directory.accounts)
            } then: { _, result in
                answer(result.mapError { .directory($0) })
            }
        }
    }

    /// Asks the home provider something, on its loop.
    private func onHome<Value: Sendable>(
        _ body: @escaping @Sendable (HomeProvider, @escaping @Sendable (Result<Value, HomeError>) -> Void) -> Void
    ) async throws(HomeError) -> Value {
        let result: Result<Value, HomeError> = await withCheckedContinuation { continuation in
            let isRunning = ifIn([.running]) {
                workers[0].run { [home] in
                    guard let provider = home.provider else {
                        return continuation.resume(returning: .failure(.notRunning))
                    }
                    body(provider) { continuation.resume(returning: $0) }
                }
            }
            if !isRunning { continuation.resume(returning: .failure(.notRunning)) }
        }
        return try result.get()
    }

    /// Looks now and then which networks can be reached, for the presence of those behind them.
    func watchLinks() {
        let interval = TimeAmount.nanoseconds(Int64(core.options.limits.linkWatchInterval / .nanoseconds(1)))
        let home = home
        for context in core.contexts {
            _ = context.worker.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { [workers] _ in
                for runtime in context.runtimes where runtime.index != 0 {
                    let sighting = runtime.sighting
                    workers[0].run { home.provider?.observe(sighting) }
                }
            }
        }
    }
}

extension InstanceRuntime {
    /// What is seen of its links now.
    ///
    /// On its loop.
    fileprivate var sighting: LinkWatch.Sighting {
        LinkWatch.Sighting(
            provider: name,
            isRunning: isRunning,
            claims: seat?.claims ?? [],
            links: isRunning ? instance?.links() ?? [] : []
        )
    }
}

extension HomeProvider {
    /// Users whom the configuration names.
    fileprivate var listedUsers: [Address] {
        domains.values.flatMap { domain in
            (domain.users ?? []).compactMap { Address(user: $0, domain: domain.name) }
        }
    }

    fileprivate func report(_ user: Address) -> Router.UserReport {
        let entry = directory.contacts.index.entry(of: user)
        return Router.UserReport(
            address: user,
            presence: book.presence(of: user),
            devices: book.devices(of: user).map { Router.UserReport.Device(name: $0.name, presence: $0.presence) },
            contacts: entry.listed.count,
            requests: entry.askers.count
        )
    }
}

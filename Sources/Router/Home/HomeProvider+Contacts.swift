package import Directory
internal import HostServices
package import IMModel
internal import ProviderKit

// Contact lists and the handshake of subscriptions.
extension HomeProvider {
    /// What came of changing a contact.
    struct ContactAnswer: Sendable {
        /// As it is now; nil: it is not there any more.
        var contact: Contact?
        /// Why a step that was to be sent was not; nil: all were taken, or none was needed.
        var refusal: String?
    }

    // MARK: From the networks

    /// Takes a contact's step of the handshake.
    func received(_ subscription: Subscription, _ delivery: Delivery) {
        let (contact, owner) = (delivery.envelope.from, delivery.envelope.to)
        onDisk { directory throws(DirectoryError) in
            try directory.contacts.receive(subscription, from: contact, to: owner)
        } then: { provider, result in
            switch result {
            case .failure(let error):
                delivery.complete(Self.outcome(of: error))
            case .success(let outcome):
                provider.follow(outcome, owner, contact) { _ in }
                // Presence is not stored, so what the contact sent behind this step may have come before it, as a stranger's.
                if subscription.action == .accept, outcome.contact?.state.seesContact == true {
                    provider.probe(contact, for: owner)
                }
                // What the owner is to see is done when it is in the inbox.
                if outcome.isPassedOn { provider.keep(delivery) } else { delivery.complete(.delivered) }
            }
        }
    }

    private static func outcome(of error: DirectoryError) -> Outcome {
        switch error {
        case .file: .deferred(Outcome.Reason(.internal, "\(error)"))
        default: .failed(Outcome.Reason(.policy, "\(error)", code: "resource-constraint"))
        }
    }

    // MARK: From the users

    /// Changes somebody's contact list.
    ///
    /// - Parameter then: called once, on this loop.
    func change(
        _ contact: Address,
        of owner: Address,
        _ change: ContactListChange,
        then: @escaping (Result<ContactAnswer, HomeError>) -> Void
    ) {
        guard serves(owner) else { return then(.failure(.noUser(owner))) }
        onDisk { directory throws(DirectoryError) in
            try change.apply(to: directory.contacts, contact, of: owner)
        } then: { provider, result in
            switch result {
            case .failure(let error):
                then(.failure(.directory(error)))
            case .success(let outcome):
                provider.follow(outcome, owner, contact) { refusal in
                    guard let refusal else { return then(.success(ContactAnswer(contact: outcome.contact))) }
                    let now = try? provider.directory.contacts.contact(contact, of: owner)
                    then(.success(ContactAnswer(contact: now, refusal: refusal)))
                }
            }
        }
    }

    // MARK: What a change asks for

    /// Sends what a change of a contact asks for.
    ///
    /// - Parameter then: called once with why a step was refused, if one was.
    private func follow(
        _ outcome: ContactOutcome,
        _ owner: Address,
        _ contact: Address,
        then: @escaping (String?) -> Void
    ) {
        if outcome.contact?.state.seesContact != true { book.forget(contact, seenBy: owner) }
        let notice = outcome.notice
        sendSteps(outcome.outgoing) { [weak self] refusal in
            guard let self else { return then(refusal) }
            // After the step, so that it is not passed over as a stranger's.
            switch notice {
            case .current?: tell(book.answer(to: contact, about: owner))
            case .unavailable?: tell(book.farewell(to: contact, from: owner))
            case nil: break
            }
            then(refusal)
        }
    }

    /// Hands steps in; what the router has taken, or will never take, is forgotten on disk.
    ///
    /// A request that it will never take is taken back, as if the contact had refused. What it cannot take now stays on
    /// disk until the contact's domain is found, or there again (``greet(_:)``).
    ///
    /// - Parameter then: called once with why a step was refused, if one was.
    func sendSteps(_ steps: [OutgoingStep], then: @escaping (String?) -> Void) {
        guard let step = steps.first(where: { !stepsUnderWay.contains($0.number) }) else { return then(nil) }
        stepsUnderWay.insert(step.number)
        let rest = steps.filter { $0.number > step.number }
        let envelope = Envelope(
            from: step.from,
            to: step.to,
            id: step.envelopeID,
            content: .subscription(Subscription(step.action))
        )
        submit(envelope) { [weak self] outcome in
            guard let self else { return then("the router stopped before it answered") }
            let refusal: String?
            switch outcome {
            case .accepted, .delivered: refusal = nil
            case .deferred(let reason), .failed(let reason):
                guard reason.isFinal else {
                    stepsUnderWay.remove(step.number)
                    return then("\(reason.text); it is sent when the router can take it")
                }
                refusal = reason.text
            }
            onDisk { directory throws(DirectoryError) in
                if refusal != nil, step.action == .request {
                    _ = try directory.contacts.receive(Subscription(.refuse), from: step.to, to: step.from)
                }
                try directory.contacts.forget(outgoing: [step.number])
            } then: { provider, result in
                provider.stepsUnderWay.remove(step.number)
                var refusal = refusal
                if case .failure(let error) = result { refusal = refusal ?? error.description }
                let first = refusal
                provider.sendSteps(rest) { then(first ?? $0) }
            }
        }
    }

    // MARK: The disk

    /// Does something on the directory's thread, and goes on here with what came of it.
    func onDisk<Value: Sendable>(
        _ work: @escaping @Sendable (HomeDirectory) throws(DirectoryError) -> Value,
        then: @escaping (HomeProvider, Result<Value, DirectoryError>) -> Void
    ) {
        let back = LoopBound(value: (self, then))
        let directory = directory
        let worker = surroundings.worker
        directory.perform {
            let result: Result<Value, DirectoryError>
            do throws(DirectoryError) {
                result = .success(try work(directory))
            } catch {
                result = .failure(error)
            }
            worker.run { back.value.1(back.value.0, result) }
        }
    }
}

extension Outcome.Reason {
    /// Whether it would be the same at any other time.
    fileprivate var isFinal: Bool {
        switch failureClass {
        case .transient, .throttled, .unavailable, .internal: false
        case .credentials, .recipient, .content, .policy, .protocolViolation: true
        }
    }
}

/// What a home user does to their contact list.
package enum ContactListChange: Hashable, Sendable {
    /// Puts the contact on the list, or leaves it there; a name or groups that are nil stay as they are.
    case add(name: String?, groups: [String]?, asks: Bool)
    /// Names or groups it anew.
    case edit(name: String?, groups: [String]?)
    /// Takes it off, and ends what each sees of the other.
    case remove
    /// Lets it see the owner's presence, now or when it asks.
    case approve
    /// Does not let it see the owner's presence, or no longer.
    case deny

    /// Directory's thread.
    func apply(
        to contacts: ContactStore,
        _ contact: Address,
        of owner: Address
    ) throws(DirectoryError) -> ContactOutcome {
        switch self {
        case .add(let name, let groups, let asks):
            let present = try contacts.contact(contact, of: owner)
            let added = try contacts.add(
                contact,
                to: owner,
                name: name ?? present?.name ?? "",
                groups: groups ?? present?.groups ?? []
            )
            return asks ? try contacts.send(.request, to: contact, from: owner) : added
        case .edit(let name, let groups):
            return try contacts.edit(contact, of: owner, name: name, groups: groups)
        case .remove:
            return try contacts.remove(contact, from: owner)
        case .approve:
            return try contacts.send(.accept, to: contact, from: owner)
        case .deny:
            let present = try contacts.contact(contact, of: owner)
            guard let present, present.state.isPendingIn || present.state.isSeenByContact || present.isApproved else {
                throw .noRequest(contact, owner: owner)
            }
            return try contacts.send(.refuse, to: contact, from: owner)
        }
    }
}

/// Why a home user's directory was not read or changed.
package enum HomeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No home domain has this user.
    case noUser(Address)
    /// The router does not run.
    case notRunning
    case directory(DirectoryError)

    package var description: String {
        switch self {
        case .noUser(let address): "\(address) is not a home user"
        case .notRunning: "the router does not run"
        case .directory(let error): "\(error)"
        }
    }
}

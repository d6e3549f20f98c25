internal import Directory
internal import HostServices
internal import ProviderKit

// Presence: of home users to those who may see it, of contacts to home users.
extension HomeProvider {
    /// Takes over what was stored, and goes on where the last run ended among the home users; with other networks when
    /// they are found.
    func beginPresence() throws(ProviderError) {
        do throws(DirectoryError) {
            for record in try directory.presence.all() {
                book.restore(record.presence, of: record.user, device: record.device)
            }
        } catch {
            throw ProviderError("\(error)")
        }
        greet(Set(domains.keys))
    }

    /// Goes on with the people of some domains who may have heard nothing of the home users for long, and of whom nothing
    /// was heard: sends what could not be sent, tells them the presence that they may see, and asks for theirs.
    private func greet(_ domains: Set<String>) {
        guard !domains.isEmpty else { return }
        onDisk { directory throws(DirectoryError) in
            try directory.contacts.outgoing()
        } then: { provider, result in
            switch result {
            case .success(let steps): provider.sendSteps(steps.filter { domains.contains($0.to.domain) }) { _ in }
            case .failure(let error): provider.host.log(.error, "\(error)")
            }
        }
        let index = directory.contacts.index
        for owner in index.owners where serves(owner) {
            let entry = index.entry(of: owner)
            if book.presence(of: owner).isOnline {
                for watcher in entry.watchers where domains.contains(watcher.domain) {
                    tell(book.answer(to: watcher, about: owner))
                }
            }
            for contact in entry.watched where domains.contains(contact.domain) { probe(contact, for: owner) }
        }
    }

    // MARK: Of home users

    /// Takes over the presence of a home user's device, stores it, and tells those who may see it.
    ///
    /// - Parameter then: called once, on this loop, with why it was not done.
    func setPresence(
        _ presence: Presence,
        of user: Address,
        device: String,
        then: @escaping (HomeError?) -> Void
    ) {
        guard serves(user) else { return then(.noUser(user)) }
        let wasOnline = book.presence(of: user).isOnline
        let stored: Presence?
        do throws(DirectoryError) {
            stored = try book.set(presence, of: user, device: device, now: host.wallClock)
        } catch {
            return then(.directory(error))
        }
        guard let stored else { return then(nil) }
        spreadLater()
        // Who comes online wants to know how the others are (RFC 6121 §4.2.2).
        if !wasOnline, stored.isOnline {
            for contact in directory.contacts.index.entry(of: user).watched { probe(contact, for: user) }
        }
        let record = HomePresenceStore.Record(user: user, device: device, presence: stored)
        onDisk { directory throws(DirectoryError) in
            try directory.presence.put([record])
        } then: { provider, result in
            switch result {
            case .success: then(nil)
            case .failure(let error): then(.directory(error))
            }
        }
    }

    /// Tells what has changed once the work of this tick is done.
    private func spreadLater() {
        guard !isSpreading else { return }
        isSpreading = true
        surroundings.worker.enqueue { [weak self] in
            guard let self else { return }
            isSpreading = false
            tell(book.takeChanged())
        }
    }

    /// Sends presence to those who may see it.
    func tell(_ updates: [PresenceBook.Update]) {
        for update in updates {
            let watchers = update.to.map { [$0] } ?? Array(directory.contacts.index.entry(of: update.user).watchers)
            for watcher in watchers {
                var envelope = Envelope(from: update.user, to: watcher, content: .presence(update.presence))
                envelope.fromDevice = update.device
                if !outbox.put(envelope) { host.log(.warning, "too much presence waits: some is not told") }
            }
        }
        sendPresence()
    }

    /// Hands presence in as far as there is room.
    func sendPresence() {
        guard !isStopped else { return }
        outbox.offer { envelope in
            guard unsent.isEmpty else { return false }
            // One that is malformed would be for ever: it is gone as if it had been taken.
            return (try? host.submit(envelope)) != .busy
        }
    }

    // MARK: Of contacts

    /// Takes what a contact says of its presence.
    func heard(_ presence: Presence, _ delivery: Delivery) {
        let envelope = delivery.envelope
        defer { delivery.complete(.delivered) }
        let isWatched = directory.contacts.index.entry(of: envelope.to).watched.contains(envelope.from)
        if isWatched {
            let isTaken = book.hear(
                presence,
                of: envelope.from,
                device: envelope.fromDevice,
                by: envelope.to,
                now: host.wallClock
            )
            guard isTaken else { return }
        }
        // Of the moment: worthless to whoever is not looking.
        surroundings.inbox.show(Inbox.Item(envelope))
    }

    /// Asks for a contact's presence.
    func probe(_ contact: Address, for user: Address) {
        submit(Envelope(from: user, to: contact, id: newID(), content: .subscription(Subscription(.probe)))) { _ in }
    }

    /// Answers who asks for a home user's presence.
    ///
    /// Source: RFC 6121 §4.3.2; one whose request waits for an answer is not refused by the way.
    func probed(_ delivery: Delivery) {
        let (asker, user) = (delivery.envelope.from, delivery.envelope.to)
        let entry = directory.contacts.index.entry(of: user)
        if entry.watchers.contains(asker) {
            tell(book.answer(to: asker, about: user))
        } else if !entry.askers.contains(asker) {
            submit(
                Envelope(from: user, to: asker, id: newID(), content: .subscription(Subscription(.refuse)))
            ) { _ in }
        }
        delivery.complete(.delivered)
    }

    // MARK: Links

    /// Takes what is seen of a provider's links, and makes presence unknown where they are lost for long.
    func observe(_ sighting: LinkWatch.Sighting) {
        guard !isStopped else { return }
        let now = host.wallClock
        var back: Set<String> = []
        for change in links.observe(sighting) {
            switch change {
            case .found(let domain):
                back.insert(domain)
            case .lost(let domain):
                book.linkLost(domain, now: now, graceMs: presenceGraceMs)
            case .restored(let domain):
                if book.linkRestored(domain) { back.insert(domain) }
            }
        }
        greet(back)
        for update in book.takeUnknown(now: now) {
            guard let viewer = update.to else { continue }
            var envelope = Envelope(from: update.user, to: viewer, content: .presence(update.presence))
            envelope.timestamp = now
            surroundings.inbox.show(Inbox.Item(envelope))
        }
    }
}

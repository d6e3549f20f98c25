import Crypto
import OSCARWire

extension AIMNetwork {
    /// The first frame of a client came.
    mutating func opened(_ id: Int, with frame: SignOnFrame, now: UInt64) throws(OSCARWireError) {
        if let cookie = frame.cookie { return self.signOn(with: cookie, on: id, now: now) }
        guard self.mayLogIn(from: self.connections[id]?.address ?? "", now: now) else {
            // Before anything was asked, and so without a name and with request id 0.
            self.send(try SNAC(LoginReply(name: nil, failure: .tooFast), requestID: 0), on: id)
            return self.close(id, now: now)
        }
        guard let name = try frame.name(), let password = frame.password else {
            self.connections[id]?.phase = .login
            return
        }
        // A login without a digest is answered by the last frame of the connection.
        let reply = self.judge(name, isUnknown: .deleted, sessions: nil, now: now) { account in
            Array(account.password.utf8) == password
        }
        self.send(.signOff, try reply.tlvs.encoded(), on: id)
        self.close(id, now: now)
    }

    private mutating func mayLogIn(from address: String, now: UInt64) -> Bool {
        let burst = Double(self.options.loginBurst)
        var allowance = self.allowances[address] ?? LoginAllowance(logins: burst, countedAt: now)
        allowance.logins = min(burst, allowance.logins + Double(now - allowance.countedAt) / 60_000)
        allowance.countedAt = now
        let isAllowed = allowance.logins >= 1
        if isAllowed { allowance.logins -= 1 }
        self.allowances[address] = allowance
        return isAllowed
    }

    /// A SNAC came within a login.
    mutating func loginReceived(_ snac: SNAC, on id: Int, now: UInt64) throws(OSCARWireError) {
        switch snac.kind {
        case ChallengeRequest.kind:
            let name = try snac.message(ChallengeRequest.self).name()
            guard let account = self.accounts[name] else {
                try self.reply(LoginReply(name: nil, failure: .unknownName), to: snac, on: id)
                return self.close(id, now: now)
            }
            try self.reply(Challenge(key: account.key), to: snac, on: id)
        case LoginRequest.kind:
            let request = try snac.message(LoginRequest.self)
            let digest = request.digest
            let reply = self.judge(
                try request.name(),
                isUnknown: .deleted,
                sessions: try request.sessions(),
                now: now
            ) { account in
                // Which of the two it is, is tried: not every client says it.
                PasswordDigest.allCases.contains { style in
                    style.compute(key: account.key, password: Array(account.password.utf8), md5: md5) == digest
                }
            }
            try self.reply(reply, to: snac, on: id)
            self.send(.signOff, [], on: id)
            self.close(id, now: now)
        default: try self.refuse(snac, SNACError(.invalid), on: id)
        }
    }

    /// Grants a login or refuses it.
    private mutating func judge(
        _ name: ScreenName,
        isUnknown unknown: LoginFailure,
        sessions: UInt8?,
        now: UInt64,
        isRight: (Account) -> Bool
    ) -> LoginReply {
        guard let account = self.accounts[name] else { return LoginReply(name: name.display, failure: unknown) }
        guard isRight(account) else { return LoginReply(name: name.display, failure: .wrongPassword) }
        guard !account.isSuspended else { return LoginReply(name: name.display, failure: .suspended) }
        if sessions == 1, self.sessionIDs(of: name).count >= AIMNetwork.sessionsMax {
            return LoginReply(name: name.display, failure: .tooFast)
        }
        if self.tickets.count >= AIMNetwork.cookiesMax,
            let oldest = self.tickets.min(by: { $0.value.expiresAt < $1.value.expiresAt })
        {
            self.tickets[oldest.key] = nil
        }
        let cookie = self.makeCookie()
        self.tickets[cookie] = Ticket(name: account.name, sessions: sessions, expiresAt: now + AIMNetwork.cookieMs)
        return LoginReply(name: name.display, host: self.options.address, cookie: cookie)
    }

    /// A client has presented a cookie.
    ///
    /// It may do so again as long as the cookie is good.
    private mutating func signOn(with cookie: [UInt8], on id: Int, now: UInt64) {
        guard let ticket = self.tickets[cookie], ticket.expiresAt > now else { return self.close(id, now: now) }
        for other in self.sessionIDs(of: ticket.name) {
            guard let session = self.sessions[other], let connection = session.connection else { continue }
            if session.sessions == 1, ticket.sessions == 1 { continue }
            self.signOff(connection, isBare: (session.sessions ?? 0) == 0, now: now)
        }
        let used = Set(self.sessionIDs(of: ticket.name).compactMap { self.sessions[$0]?.instance })
        let session = self.nextSession
        self.nextSession += 1
        self.sessions[session] = Session(
            name: ticket.name,
            connection: id,
            sessions: ticket.sessions,
            instance: (1...UInt8.max).first { !used.contains($0) } ?? UInt8.max,
            signedOnAt: now
        )
        self.connections[id]?.phase = .session(session)
        let families: [UInt16] = [0x18, 0x10, 3, 0x13, 4, 0x15, 2, 1, 9, 0x0A, 6, 8, 0x0B]
        self.notify(HostOnline(families: families), session)
    }

    /// Ends a session with the last word that its client understands.
    ///
    /// - Parameter isBare: whether it has no length and no reason, as for clients that did not say how many may sign on.
    mutating func signOff(_ id: Int, isBare: Bool, now: UInt64) {
        if isBare, let sequence = self.connections[id]?.sequence {
            let bytes = [FLAPFrame.marker, FLAPFrame.Channel.signOff.rawValue]
            self.actions.append(.send(id, bytes + [UInt8(sequence >> 8), UInt8(truncatingIfNeeded: sequence)]))
        } else {
            let reason = TLVBlock([TLV(9, integer: UInt8(1)), TLV(0x0B, text: "https://sandbox.example/signed-off")])
            self.send(.signOff, (try? reason.encoded()) ?? [], on: id)
        }
        self.close(id, now: now)
    }
}

private func md5(_ bytes: [UInt8]) -> [UInt8] { Array(Insecure.MD5.hash(data: bytes)) }

import OSCARWire

/// A user of the sandbox that is a program.
package enum Bot: Hashable, Sendable {
    /// Answers each message with its own text.
    case echo
    /// Signs on and off again and again.
    case comingAndGoing(nextAt: UInt64)
}

extension AIMNetwork {
    /// Adds an account that is a bot, and signs it on.
    package mutating func addBot(_ account: Account, _ bot: Bot, now: UInt64) {
        self.accounts[account.name] = account
        self.bots[account.name] = bot
        self.signOnBot(account.name, now: now)
    }

    private mutating func signOnBot(_ name: ScreenName, now: UInt64) {
        let session = self.nextSession
        self.nextSession += 1
        self.sessions[session] = Session(name: name, connection: nil, sessions: 1, instance: 1, signedOnAt: now)
        self.sessions[session]?.isReady = true
        self.announce(name, now: now)
    }

    /// Does what a bot does about a message.
    mutating func answerAsBot(_ name: ScreenName, to message: IncomingMessage, now: UInt64) {
        // An automatic answer to an automatic answer would never end.
        guard self.bots[name] == .echo, !message.isAutomatic, let session = self.speaker(for: name),
            let text = (try? message.text()) ?? nil,
            let answer = try? SendMessage(
                cookie: ~message.cookie,
                to: message.sender.name,
                text: text,
                wantsAck: false,
                isAutomatic: true
            ),
            self.speaker(for: message.sender.name) != nil
        else { return }
        self.deliver(answer, from: session, to: message.sender.name, now: now)
    }

    mutating func moveBots(now: UInt64) {
        for (name, bot) in self.bots.sorted(by: { $0.key.normal < $1.key.normal }) {
            guard case .comingAndGoing(let nextAt) = bot, now >= nextAt else { continue }
            self.bots[name] = .comingAndGoing(nextAt: now + self.options.comingAndGoingMs)
            if let session = self.sessionIDs(of: name).first {
                self.end(session, now: now)
            } else {
                self.signOnBot(name, now: now)
            }
        }
    }
}

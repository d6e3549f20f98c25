import AIMSandbox
import Crypto
import OSCARSession
import OSCARWire
import Testing

/// A sign-on that is played against the sandbox, without sockets.
struct Play {
    var machine: SignOnMachine
    var network: AIMNetwork
    private(set) var actions: [SignOnMachine.Action] = []
    private var connection = 0
    let now: UInt64 = 1_700_000_000_000
    /// The number of the frame in whose place the connection ends; 0: none.
    var cutAt = 0
    /// What becomes of a SNAC on its way to the client.
    var replace: (SNAC) -> [SNAC] = { [$0] }
    private(set) var frameCount = 0

    init(_ plan: SignOnPlan) throws {
        self.machine = SignOnMachine(plan)
        let account = Account(name: try ScreenName("Alice Test"), password: "alicepw")
        self.network = AIMNetwork(accounts: [account], options: .init(address: "sandbox:5190"))
    }

    /// Plays until nothing more happens.
    mutating func run() throws {
        self.connect()
        var passes = 0
        while !self.network.actions.isEmpty {
            passes += 1
            try #require(passes < 100)
            let pending = self.network.actions
            self.network.actions = []
            for action in pending { try self.perform(action) }
        }
    }

    private mutating func connect() {
        self.connection += 1
        self.network.connected(self.connection, from: "127.0.0.1", now: self.now)
    }

    private mutating func perform(_ action: AIMNetwork.Action) throws {
        switch action {
        case .close(let id) where id == self.connection: self.take(self.machine.connectionClosed())
        case .send(let id, let bytes) where id == self.connection:
            self.frameCount += 1
            if self.frameCount == self.cutAt { return self.take(self.machine.connectionClosed()) }
            let read = try bytes.withUnsafeBytes { try FLAPFrame.read($0) }
            let frame = try #require(read).frame
            guard frame.channel == .data else { return self.take(self.machine.frameReceived(frame, md5: md5)) }
            for snac in self.replace(try SNAC(payload: frame.payload)) {
                let replaced = FLAPFrame(.data, sequence: frame.sequence, payload: try snac.encoded())
                self.take(self.machine.frameReceived(replaced, md5: md5))
            }
        case .close, .send: break
        }
    }

    private mutating func take(_ actions: [SignOnMachine.Action]) {
        for action in actions {
            switch action {
            case .send(let bytes): self.network.received(bytes, on: self.connection, now: self.now)
            case .connect(let address):
                #expect(address == "sandbox:5190")
                self.connect()
            case .signedOn, .received, .failed: self.actions.append(action)
            }
        }
    }
}

func md5(_ bytes: [UInt8]) -> [UInt8] { Array(Insecure.MD5.hash(data: bytes)) }

@Suite struct SignOnMachineTests {
    private func plan(
        _ method: SignOnPlan.Method = .digest(.hashed),
        password: String = "alicepw",
        name: String = "alice test"
    ) throws -> SignOnPlan {
        SignOnPlan(name: try ScreenName(name), password: Array(password.utf8), method: method)
    }

    @Test(arguments: [.digest(.plain), .digest(.hashed), .roasted] as [SignOnPlan.Method])
    func anAccountSignsOnByEachMethod(_ method: SignOnPlan.Method) throws {
        var play = try Play(try self.plan(method))
        try play.run()
        #expect(play.machine.step == .signedOn)
        let signedOn = play.actions.compactMap { action in
            if case .signedOn(let signedOn) = action { signedOn } else { nil }
        }
        #expect(signedOn.count == 1)
        #expect(signedOn.first?.info.name.display == "Alice Test")
        #expect(signedOn.first?.rates.classes.count == 5)
        #expect(signedOn.first?.messageLimits.bytesMax == 512)
        #expect(signedOn.first?.items == [])
    }

    @Test func aWrongPasswordStopsTheAccount() throws {
        for method in [.digest(.plain), .digest(.hashed), .roasted] as [SignOnPlan.Method] {
            var play = try Play(try self.plan(method, password: "wrong"))
            try play.run()
            #expect(play.actions == [.failed(.refused(.wrongPassword))])
        }
        #expect(SignOnFailure.refused(.wrongPassword).remedy == .stop)
    }

    @Test func anUnknownNameStopsTheAccount() throws {
        var play = try Play(try self.plan(name: "nobody"))
        try play.run()
        #expect(play.actions == [.failed(.refused(.unknownName))])
    }

    @Test func aServerThatCountsLoginsIsLeftAloneForLong() throws {
        var machine = SignOnMachine(try self.plan())
        _ = machine.frameReceived(FLAPFrame(.signOn, sequence: 100, payload: [0, 0, 0, 1]), md5: md5)
        let refusal: [UInt8] = [0, 0x17, 0, 3, 0, 0, 0, 0, 0, 0, 0, 8, 0, 2, 0, 0x1D]
        let actions = machine.frameReceived(FLAPFrame(.data, sequence: 101, payload: refusal), md5: md5)
        #expect(actions == [.failed(.refused(.tooFast))])
        #expect(SignOnFailure.refused(.tooFast).remedy == .retrySlowly)
        #expect(machine.connectionClosed() == [])
    }

    @Test func theEndOfAConnectionSaysDuringWhat() throws {
        var machine = SignOnMachine(try self.plan())
        #expect(machine.connectionClosed() == [.failed(.closed(during: .greeting))])
        machine = SignOnMachine(try self.plan())
        #expect(machine.connectionClosed(.bareSignOff) == [.failed(.signedOff(reason: 1))])
        machine = SignOnMachine(try self.plan())
        #expect(machine.timedOut() == [.failed(.timedOut(during: .greeting))])
        #expect(machine.timedOut() == [])
    }

    @Test func whatCannotBeReadEndsTheSignOn() throws {
        var machine = SignOnMachine(try self.plan())
        let actions = machine.frameReceived(FLAPFrame(.signOn, sequence: 100, payload: [0, 0, 0, 2]), md5: md5)
        #expect(actions == [.failed(.unreadable(.unknownVersion(2), during: .greeting))])
    }

    /// The failures that a sign-on ended with.
    private func failures(_ play: Play) -> [SignOnFailure] {
        play.actions.compactMap { if case .failed(let failure) = $0 { failure } else { nil } }
    }

    @Test func aConnectionThatIsCutAtAnyFrameEndsTheSignOnWithOneReason() throws {
        var whole = try Play(try self.plan())
        try whole.run()
        // The last frame comes after the session has begun.
        try #require(whole.frameCount > 10)
        var steps: Set<SignOnStep> = []
        for cut in 1..<whole.frameCount {
            var play = try Play(try self.plan())
            play.cutAt = cut
            try play.run()
            let failures = self.failures(play)
            #expect(failures.count == 1)
            if case .closed(let step) = failures.first { steps.insert(step) }
        }
        #expect(
            steps == [
                .greeting, .challenge, .verdict, .secondGreeting, .foodGroups, .versions, .rates, .limits, .list,
            ]
        )
    }

    @Test func aMessageThatIsCutShortEndsTheSignOn() throws {
        for kind in [Challenge.kind, LoginReply.kind, Rates.kind, MessageLimitsReply.kind, FeedbagReply.kind] {
            var play = try Play(try self.plan())
            play.replace = { snac in
                var short = snac
                if snac.kind == kind { short.body = Array(snac.body.prefix(1)) }
                return [short]
            }
            try play.run()
            guard case .unreadable = self.failures(play).first else {
                Issue.record("\(kind) was read")
                continue
            }
        }
    }

    @Test func aRefusedListEndsTheSignOnAndARefusedProfileLimitDoesNot() throws {
        func play(refusing kind: SNACKind) throws -> Play {
            var play = try Play(try self.plan())
            play.replace = { snac in
                guard snac.kind == kind else { return [snac] }
                let refusal = SNACError(.unavailable)
                return [(try? refusal.snac(family: kind.family, requestID: snac.requestID)) ?? snac]
            }
            try play.run()
            return play
        }
        #expect(
            try self.failures(play(refusing: FeedbagReply.kind)) == [.requestRefused(FeedbagRequest.kind, .unavailable)]
        )
        #expect(try play(refusing: LocationRights.kind).machine.step == .signedOn)
    }

    @Test func anothersErrorIsNotOurs() throws {
        var play = try Play(try self.plan())
        play.replace = { snac in
            guard snac.kind == Rates.kind else { return [snac] }
            // The same id, of a food group that was not asked.
            let foreign = try? SNACError(.notLoggedOn).snac(family: FoodGroup.messages, requestID: snac.requestID)
            return [foreign ?? snac, snac]
        }
        try play.run()
        #expect(play.machine.step == .signedOn)
    }

    @Test(arguments: [20_000, 20_001]) func aListMayComeInPartsUpToItsLimit(_ count: Int) throws {
        var play = try Play(try self.plan())
        play.replace = { snac in
            guard snac.kind == FeedbagReply.kind else { return [snac] }
            let items = (0..<count).map { FeedbagItem(.buddy, name: "", groupID: 1, itemID: UInt16($0)) }
            return stride(from: 0, to: count, by: 5_000).compactMap { start in
                let part = FeedbagReply(items: Array(items[start..<min(start + 5_000, count)]), changedAt: 9)
                let isLast = start + 5_000 >= count
                return try? SNAC(part, flags: isLast ? 0 : SNAC.moreFollows, requestID: snac.requestID)
            }
        }
        try play.run()
        if count > SignOnMachine.itemsMax {
            let error = OSCARWireError.tooMany(list: "the stored list", count: 20_001, max: 20_000)
            #expect(self.failures(play) == [.unreadable(error, during: .list)])
        } else {
            #expect(play.machine.step == .signedOn)
            #expect(self.failures(play).isEmpty)
        }
    }

    @Test func requestIDsLeaveTheServersOwnAlone() throws {
        var counter = FrameCounter()
        #expect(try counter.request(FeedbagRequest()).id == 1)
        let second = try counter.request(FeedbagRequest())
        #expect(second.id == 2)
        #expect(second.bytes == [0x2A, 2, 0, 1, 0, 10, 0, 0x13, 0, 4, 0, 0, 0, 0, 0, 2])
    }
}

import IMModel
import Testing

@testable import Directory

@Suite("What is known of presence")
struct PresenceBookTests {
    private let alice: Address
    private let ann: Address
    private let bob: Address

    init() throws {
        alice = try address("alice@home.example")
        ann = try address("ann@home.example")
        bob = try address("bob@partner.example")
    }

    private func presence(
        _ availability: Presence.Availability,
        _ status: String = "",
        priority: Int32 = 0,
        changed: Int64 = 0
    ) -> Presence {
        var presence = Presence(availability, status: status)
        presence.priority = priority
        presence.changed = changed
        return presence
    }

    // MARK: Home users

    @Test("A user is what the device of the highest priority says, and among equals the most reachable")
    func combined() throws {
        var book = PresenceBook()
        #expect(book.presence(of: alice) == Presence(.offline))
        _ = try book.set(presence(.away, "phone"), of: alice, device: "phone", now: 1)
        _ = try book.set(presence(.available, "desk"), of: alice, device: "desk", now: 2)
        #expect(book.presence(of: alice) == presence(.available, "desk", changed: 2))
        _ = try book.set(presence(.busy, "important", priority: 5), of: alice, device: "tablet", now: 3)
        #expect(book.presence(of: alice).status == "important")
        #expect(book.devices(of: alice).map(\.name) == ["tablet", "desk", "phone"])
        for (index, device) in ["tablet", "desk", "phone"].enumerated() {
            _ = try book.set(presence(.offline, "bye \(device)"), of: alice, device: device, now: Int64(4 + index))
        }
        #expect(book.presence(of: alice) == presence(.offline, "bye phone", changed: 6))
        #expect(book.devices(of: alice).isEmpty)
    }

    @Test("What has changed several times is told once, with its latest value")
    func coalesced() throws {
        var book = PresenceBook()
        _ = try book.set(presence(.available, "1"), of: alice, device: "d", now: 1)
        _ = try book.set(presence(.away), of: ann, device: "d", now: 1)
        _ = try book.set(presence(.available, "2"), of: alice, device: "d", now: 2)
        let told = book.takeChanged()
        #expect(told.map(\.user) == [alice, ann])
        #expect(told.first?.presence == presence(.available, "2", changed: 2))
        let result1 = book.takeChanged()
        #expect(result1.isEmpty)
        let result2 = try book.set(presence(.available, "2"), of: alice, device: "d", now: 3)
        #expect(result2 == nil)
        let result3 = book.takeChanged()
        #expect(result3.isEmpty)
    }

    @Test("A device that went while another came is told too")
    func replacedDevice() throws {
        var book = PresenceBook()
        _ = try book.set(presence(.available), of: alice, device: "old", now: 1)
        _ = book.takeChanged()
        _ = try book.set(presence(.offline), of: alice, device: "old", now: 2)
        _ = try book.set(presence(.available), of: alice, device: "new", now: 2)
        let told = book.takeChanged()
        #expect(told.map(\.device) == ["old", "new"])
        #expect(told.map(\.presence.availability) == [.offline, .available])
    }

    @Test("Who asks is told of each device, or that there is none")
    func answers() throws {
        var book = PresenceBook()
        #expect(book.answer(to: bob, about: alice).map(\.presence.availability) == [.offline])
        #expect(book.farewell(to: bob, from: alice).isEmpty)
        _ = try book.set(presence(.available), of: alice, device: "a", now: 1)
        _ = try book.set(presence(.busy), of: alice, device: "b", now: 1)
        let answer = book.answer(to: bob, about: alice)
        #expect(answer.map(\.device) == ["a", "b"])
        #expect(answer.allSatisfy { $0.to == bob })
        #expect(book.farewell(to: bob, from: alice).map(\.presence.availability) == [.offline, .offline])
    }

    @Test("Status, device names and the number of devices have limits")
    func limits() throws {
        var limits = PresenceBook.Limits()
        limits.devicesMax = 2
        var book = PresenceBook(limits: limits)
        let text = String(repeating: "s", count: 1023)
        let result4 = try book.set(presence(.away, text), of: alice, device: text, now: 1)
        #expect(result4 != nil)
        #expect(throws: DirectoryError.statusTooLong(bytes: 1024, limit: 1023)) {
            try book.set(presence(.away, text + "s"), of: alice, device: "d", now: 1)
        }
        #expect(throws: DirectoryError.deviceTooLong(bytes: 1024, limit: 1023)) {
            try book.set(presence(.away), of: alice, device: text + "s", now: 1)
        }
        let result5 = try book.set(presence(.away), of: alice, device: "2", now: 1)
        #expect(result5 != nil)
        #expect(throws: DirectoryError.tooManyDevices(user: alice, limit: 2)) {
            try book.set(presence(.away), of: alice, device: "3", now: 1)
        }
        _ = try book.set(presence(.offline), of: alice, device: "2", now: 2)
        let result6 = try book.set(presence(.away), of: alice, device: "3", now: 3)
        #expect(result6 != nil)
    }

    // MARK: Contacts

    @Test("The latest value wins, also if an older one comes after it")
    func latest() {
        var book = PresenceBook()
        #expect(book.presence(of: bob, seenBy: alice) == nil)
        book.hear(presence(.available, "new", changed: 50), of: bob, device: "d", by: alice, now: 100)
        let result7 = book.hear(presence(.away, "old", changed: 49), of: bob, device: "d", by: alice, now: 101)
        #expect(!result7)
        #expect(book.presence(of: bob, seenBy: alice)?.status == "new")
        let result8 = book.hear(presence(.away, "newer", changed: 50), of: bob, device: "d", by: alice, now: 102)
        #expect(result8)
        #expect(book.presence(of: bob, seenBy: alice)?.status == "newer")
    }

    @Test("A clock that is ahead does not make a value the latest for ever")
    func clockAhead() {
        var book = PresenceBook()
        book.hear(presence(.available, changed: .max), of: bob, device: "d", by: alice, now: 100)
        #expect(book.presence(of: bob, seenBy: alice)?.changed == 100)
        let result9 = book.hear(presence(.away), of: bob, device: "d", by: alice, now: 101)
        #expect(result9)
    }

    @Test("What one user hears is not what another hears")
    func apart() {
        var book = PresenceBook()
        book.hear(presence(.available), of: bob, device: "d", by: alice, now: 1)
        #expect(book.presence(of: bob, seenBy: ann) == nil)
        book.forget(bob, seenBy: alice)
        #expect(book.presence(of: bob, seenBy: alice) == nil)
    }

    @Test("A contact is offline when the last device is, or when it says so without one")
    func offline() {
        var book = PresenceBook()
        book.hear(presence(.available), of: bob, device: "a", by: alice, now: 1)
        book.hear(presence(.away), of: bob, device: "b", by: alice, now: 2)
        book.hear(presence(.offline), of: bob, device: "a", by: alice, now: 3)
        #expect(book.presence(of: bob, seenBy: alice)?.availability == .away)
        book.hear(presence(.offline, "bye"), of: bob, device: "b", by: alice, now: 4)
        #expect(book.presence(of: bob, seenBy: alice) == presence(.offline, "bye", changed: 4))
        book.hear(presence(.available), of: bob, device: "a", by: alice, now: 5)
        book.hear(presence(.available), of: bob, device: "b", by: alice, now: 5)
        book.hear(presence(.offline), of: bob, device: "", by: alice, now: 6)
        #expect(book.presence(of: bob, seenBy: alice)?.availability == .offline)
    }

    @Test("What a contact says is bounded, as are its devices and the contacts")
    func heardLimits() throws {
        var limits = PresenceBook.Limits()
        limits.devicesMax = 2
        limits.contactsMax = 1
        var book = PresenceBook(limits: limits)
        let text = String(repeating: "s", count: 1024)
        let result10 = book.hear(presence(.available, text), of: bob, device: "1", by: alice, now: 1)
        #expect(result10)
        #expect(book.presence(of: bob, seenBy: alice)?.status.utf8.count == 1023)
        let result11 = book.hear(presence(.available), of: bob, device: text, by: alice, now: 1)
        #expect(!result11)
        let result12 = book.hear(presence(.available), of: bob, device: "2", by: alice, now: 1)
        #expect(result12)
        let result13 = book.hear(presence(.available), of: bob, device: "3", by: alice, now: 1)
        #expect(!result13)
        let result14 = book.hear(presence(.available), of: bob, device: "1", by: ann, now: 1)
        #expect(!result14)
        book.forget(bob, seenBy: alice)
        let result15 = book.hear(presence(.available), of: bob, device: "1", by: ann, now: 1)
        #expect(result15)
    }

    // MARK: Links

    @Test("A lost link makes presence unknown after the grace period, and not offline")
    func unknown() throws {
        var book = PresenceBook()
        let carol = try address("carol@other.example")
        book.hear(presence(.available, "here"), of: bob, device: "d", by: alice, now: 1)
        book.hear(presence(.offline), of: bob, device: "", by: ann, now: 1)
        book.hear(presence(.available), of: carol, device: "d", by: alice, now: 1)
        book.linkLost("partner.example", now: 1000, graceMs: 60)
        #expect(book.nextDue == 1060)
        // Said again, it is not lost anew.
        book.linkLost("partner.example", now: 1050, graceMs: 60)
        let result16 = book.takeUnknown(now: 1059)
        #expect(result16.isEmpty)
        #expect(book.presence(of: bob, seenBy: alice)?.availability == .available)
        let told = book.takeUnknown(now: 1060)
        #expect(told.map(\.to) == [alice, ann])
        #expect(told.allSatisfy { $0.user == bob && $0.presence == presence(.unknown, changed: 1060) })
        #expect(book.presence(of: bob, seenBy: alice)?.availability == .unknown)
        #expect(book.presence(of: carol, seenBy: alice)?.availability == .available)
        #expect(book.nextDue == nil)
        let result17 = book.takeUnknown(now: 5000)
        #expect(result17.isEmpty)
    }

    @Test("A link that comes back in time changes nothing; later, presence has to be asked for")
    func restored() {
        var book = PresenceBook()
        book.hear(presence(.available), of: bob, device: "d", by: alice, now: 1)
        book.linkLost("partner.example", now: 1000, graceMs: 60)
        let result18 = book.linkRestored("partner.example")
        #expect(!result18)
        let result19 = book.takeUnknown(now: 5000)
        #expect(result19.isEmpty)
        book.linkLost("partner.example", now: 6000, graceMs: 0)
        let result20 = book.takeUnknown(now: 6000)
        #expect(result20.count == 1)
        #expect(book.isLost("partner.example"))
        let result21 = book.linkRestored("partner.example")
        #expect(result21)
        #expect(!book.isLost("partner.example"))
        // What they say then is newer than unknown, whatever their clock says.
        let result22 = book.hear(presence(.away, changed: 2), of: bob, device: "d", by: alice, now: 6001)
        #expect(result22)
        #expect(book.presence(of: bob, seenBy: alice)?.availability == .away)
    }

    // MARK: On disk

    @Test("The home users' last presence comes back from disk")
    func store() throws {
        let folder = try DirectoryFolder()
        let file = try DirectoryFile(path: folder.file)
        let store = HomePresenceStore(file)
        let desk = HomePresenceStore.Record(
            user: alice,
            device: "desk",
            presence: presence(.busy, "in a meeting", priority: -3, changed: 7)
        )
        let gone = HomePresenceStore.Record(
            user: alice,
            device: "phone",
            presence: presence(.offline, "bye", changed: 8)
        )
        try store.put([desk, gone])
        #expect(Set(try store.all()) == [desk, gone])
        let away = HomePresenceStore.Record(user: alice, device: "tablet", presence: presence(.away, changed: 9))
        try store.put([away])
        file.close()
        let again = try DirectoryFile(path: folder.file)
        let records = try HomePresenceStore(again).all()
        #expect(Set(records) == [desk, away])
        var book = PresenceBook()
        for record in records { book.restore(record.presence, of: record.user, device: record.device) }
        #expect(book.presence(of: alice) == desk.presence || book.presence(of: alice) == away.presence)
        let result23 = book.takeChanged()
        #expect(result23.isEmpty)
        book.tellAgain(alice)
        let result24 = book.takeChanged()
        #expect(result24.map(\.device) == ["desk", "tablet"])
        again.close()
    }
}

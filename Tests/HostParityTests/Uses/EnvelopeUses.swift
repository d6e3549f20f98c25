import CPlugboard
import ProviderTestKit

/// What may be in an envelope that is submitted, and what becomes of it.
extension Use {
    static let envelopes: [Use] =
        wrongEnvelopes.map { wrong in
            Use("submit of \(wrong.name)") { probe in
                probe.claim(PLUGBOARD_CLAIM_DOMAIN, probe.domain)
                probe.submit(wrong.name) { wrong.change(&$0, $1) }
            }
        } + [
            Use("submit of no envelope") { probe in
                probe.note("submit", probe.call { $0.submit($1, nil, 1) })
            },
            submission("a message with a cookie is answered", cookie: 7) { _, _ in },
            submission("one that nobody serves is refused", cookie: 8) { $0.to = $1.text("bob@nowhere.example") },
            submission("one from somebody else's address is refused", cookie: 9) {
                $0.from = $1.text("mallory@other.example")
            },
            submission("one that has crossed too many routers is refused", cookie: 11) { envelope, _ in
                envelope.hops = UInt32(PLUGBOARD_HOPS_MAX)
            },
            submission("one that expired long ago is refused", cookie: 12) { envelope, _ in
                envelope.expires_ms = 1
            },
            Use(
                "a message without a cookie is not answered",
                steps: [
                    .act { probe in
                        probe.claim(PLUGBOARD_CLAIM_DOMAIN, probe.domain)
                        probe.startTimer(10, user: "table")
                    },
                    .heard("timer table fired"),
                    .act { $0.submit("silent") },
                ] + Step.quiet("end")
            ),
        ] + contentUses + claims

    /// Claims, lets the router take note of it, and submits.
    private static func submission(
        _ name: String,
        cookie: UInt64,
        _ change: @escaping @Sendable (inout plugboard_envelope_t, Arena) -> Void
    ) -> Use {
        Use(
            name,
            steps: [
                .act { probe in
                    probe.claim(PLUGBOARD_CLAIM_DOMAIN, probe.domain)
                    probe.startTimer(10, user: "table")
                },
                .heard("timer table fired"),
                .act { $0.submit("text", cookie: cookie, change) },
                .heard("cookie \(cookie) submitted"),
            ]
        )
    }

    private struct Wrong: Sendable {
        var name: String
        var change: @Sendable (inout plugboard_envelope_t, Arena) -> Void
    }

    private static func text(_ count: Int) -> String { String(repeating: "x", count: count) }

    /// Also those at a limit, which are not wrong.
    private static let wrongEnvelopes: [Wrong] = [
        Wrong(name: "a right one") { _, _ in },
        Wrong(name: "a short struct") { envelope, _ in envelope.struct_size -= 1 },
        Wrong(name: "a longer struct") { envelope, _ in envelope.struct_size += 8 },
        Wrong(name: "kind 0") { envelope, _ in envelope.kind = 0 },
        Wrong(name: "an unknown kind") { envelope, _ in envelope.kind = PLUGBOARD_FAILURE + 1 },
        Wrong(name: "no content") { envelope, _ in envelope.content = nil },
        Wrong(name: "a short content") { envelope, arena in
            envelope.content = UnsafeRawPointer(arena.put(plugboard_typing_t(struct_size: 7, state: 1)))
            envelope.kind = PLUGBOARD_TYPING
        },
        Wrong(name: "too many hops") { envelope, _ in envelope.hops = UInt32(PLUGBOARD_HOPS_MAX) + 1 },
        Wrong(name: "no sender") { envelope, _ in envelope.from = .none },
        Wrong(name: "no recipient") { envelope, _ in envelope.to = .none },
        Wrong(name: "a sender that is missing") { envelope, _ in envelope.from = .missing },
        Wrong(name: "a sender without a user") { $0.from = $1.text("@p.example") },
        Wrong(name: "a sender without a domain") { $0.from = $1.text("romeo@") },
        Wrong(name: "a sender with a space") { $0.from = $1.text("ro meo@p.example") },
        Wrong(name: "a sender with a control character") { $0.from = $1.text("ro\u{1}meo@p.example") },
        Wrong(name: "a recipient with DEL") { $0.to = $1.text("alice\u{7F}@home.example") },
        Wrong(name: "a user at the limit") { $0.to = $1.text(text(1023) + "@home.example") },
        Wrong(name: "a user past the limit") { $0.to = $1.text(text(1024) + "@home.example") },
        Wrong(name: "a domain past the limit") { $0.to = $1.text("alice@" + text(1024)) },
        Wrong(name: "a sender that is no UTF-8") { $0.from = $1.bytes([0xFF, 0x40, 0x61]) },
        Wrong(name: "a device at the limit") { $0.from_device = $1.text(text(1023)) },
        Wrong(name: "a device past the limit") { $0.from_device = $1.text(text(1024)) },
        Wrong(name: "a recipient's device past the limit") { $0.to_device = $1.text(text(1024)) },
        Wrong(name: "an id past the limit") { $0.id = $1.text(text(1024)) },
        Wrong(name: "a conversation past the limit") { $0.conversation = $1.text(text(1024)) },
        Wrong(name: "an origin past the limit") { $0.origin = $1.text(text(1024)) },
        Wrong(name: "an origin that is no UTF-8") { $0.origin = $1.bytes([0xFF]) },
        Wrong(name: "a long account") { $0.account = $1.text(text(5000)) },
        Wrong(name: "an account that is missing") { envelope, _ in envelope.account = .missing },
        Wrong(name: "too much altogether") { $0.account = $1.text(text(Int(PLUGBOARD_ENVELOPE_BYTES_MAX))) },
        Wrong(name: "a field past all limits") { $0.account = $1.text(text(Int(PLUGBOARD_ENVELOPE_BYTES_MAX) + 1)) },
    ]

    private static func content<T>(_ name: String, _ kind: UInt16, _ content: @escaping @Sendable (Arena) -> T) -> Use {
        Use("submit of \(name)") { probe in
            probe.claim(PLUGBOARD_CLAIM_DOMAIN, probe.domain)
            probe.submit(name) { envelope, arena in
                envelope.kind = kind
                envelope.content = UnsafeRawPointer(arena.put(content(arena)))
            }
        }
    }

    private static func contact(_ arena: Arena, groups: Int, missing: Bool = false) -> plugboard_contact_t {
        let names = (0..<max(groups, 0)).map { arena.text("group \($0)") }
        return plugboard_contact_t(
            struct_size: structSize(plugboard_contact_t.self),
            change: PLUGBOARD_CONTACT_ADDED,
            address: arena.text("nurse@home.example"),
            name: .none,
            groups: missing ? nil : UnsafePointer(arena.put(names)),
            group_count: groups
        )
    }

    private static let contentUses: [Use] = [
        content("a receipt", PLUGBOARD_RECEIPT) {
            plugboard_receipt_t(struct_size: structSize(plugboard_receipt_t.self), receipt: 1, message_id: $0.text("m"))
        },
        content("a presence that is missing its status", PLUGBOARD_PRESENCE) { _ in
            var presence = plugboard_presence_t()
            presence.struct_size = structSize(plugboard_presence_t.self)
            presence.status = .missing
            return presence
        },
        content("a typing state", PLUGBOARD_TYPING) { _ in plugboard_typing_t(struct_size: 8, state: 2) },
        content("a contact with 64 groups", PLUGBOARD_CONTACT) { contact($0, groups: 64) },
        content("a contact with 65 groups", PLUGBOARD_CONTACT) { contact($0, groups: 65) },
        content("a contact with -1 groups", PLUGBOARD_CONTACT) { contact($0, groups: -1) },
        content("a contact whose groups are missing", PLUGBOARD_CONTACT) { contact($0, groups: 2, missing: true) },
        content("a contact without an address", PLUGBOARD_CONTACT) {
            var it = contact($0, groups: 0)
            it.address = .none
            return it
        },
        content("a message whose text is no UTF-8", PLUGBOARD_MESSAGE) {
            var message = plugboard_message_t()
            message.struct_size = structSize(plugboard_message_t.self)
            message.text = $0.bytes([0x61, 0xC3])
            return message
        },
    ]

    // MARK: Claims

    private static let claims: [Use] = [
        Use("claims of all kinds") { probe in
            probe.claim(PLUGBOARD_CLAIM_DOMAIN, probe.domain)
            probe.claim(PLUGBOARD_CLAIM_DOMAIN, probe.domain)
            probe.claim(PLUGBOARD_CLAIM_ADDRESS, "romeo@\(probe.domain)")
            probe.claim(PLUGBOARD_CLAIM_DOMAIN, "romeo@\(probe.domain)")
            probe.claim(PLUGBOARD_CLAIM_ADDRESS, "@\(probe.domain)")
            probe.claim(PLUGBOARD_CLAIM_ADDRESS, "romeo@")
            probe.claim(PLUGBOARD_CLAIM_ADDRESS, probe.domain)
            for scope in [0, 3, UInt32.max] { probe.claim(scope, probe.domain) }
            probe.claim(PLUGBOARD_CLAIM_DOMAIN, "")
            probe.claim(PLUGBOARD_CLAIM_DOMAIN, "two words.example")
            for count in [1023, 1024] { probe.claim(PLUGBOARD_CLAIM_DOMAIN, String(repeating: "a", count: count)) }
            probe.claim(PLUGBOARD_CLAIM_ADDRESS, "romeo@" + String(repeating: "a", count: 1024))
            probe.note("claim of nothing", probe.call { $0.claim($1, PLUGBOARD_CLAIM_DOMAIN, .missing) })
        },
        Use("a home domain is not to be claimed") { $0.claim(PLUGBOARD_CLAIM_DOMAIN, "home.example") },
        Use("an address at home is claimed") { $0.claim(PLUGBOARD_CLAIM_ADDRESS, "bot-\($0.id)@home.example") },
    ]
}

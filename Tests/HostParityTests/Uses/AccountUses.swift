import CPlugboard
import ProviderTestKit

/// Linked accounts.
extension Use {
    static let accounts: [Use] = [
        Use(
            "accounts: none at first, then one that is linked, gets another password and is unlinked",
            steps: [
                .act { $0.followAccounts() },
                .heard("accounts linked 0 flags 1"),
                .act { $0.change(.link("alice99", password: "secret")) },
                .heard("accounts linked 1 flags 0"),
                .act { $0.askPassword("c1") },
                .heard("w1 password"),
                .act { $0.change(.link("alice99", password: "changed")) },
                .heard("accounts changed c1"),
                .act { $0.askPassword("c1") },
                .heard("w2 password"),
                .act { $0.change(.unlink("alice99")) },
                .heard("accounts unlinked c1"),
                .act { $0.askPassword("c1") },
            ]
        ),
        Use(
            "accounts: those that there are come before what becomes of them",
            steps: [
                .act { $0.change(.link("b", password: "2"), .link("a", password: "1"), .unlink("b")) }
            ] + Step.quiet("ready") + [
                .act { $0.followAccounts() },
                .heard("accounts linked 1 flags 1"),
                .act { $0.change(.link("c", password: "3"), .unlink("a"), .link("a", password: "4")) },
                .heard("accounts linked 1 flags 0", times: 2),
                .act { probe in
                    for name in ["c1", "c2", "c3"] { probe.askPassword(name) }
                },
                .heard("w2 password"),
            ]
        ),
        Use(
            "accounts: questions for passwords at their limit, all answered",
            steps: [
                .act { $0.followAccounts() },
                .act { $0.change(.link("a", password: "1")) },
                .heard("accounts linked 1 flags 0"),
                .act { probe in for _ in 0...256 { probe.askPassword("c1") } },
                .heard("w256 password"),
            ]
        ),
        Use("accounts: they are followed once") { probe in
            probe.followAccounts()
            probe.followAccounts()
        },
        Use("accounts: nothing is told to who does not follow") { probe in
            probe.change(.link("a", password: "1"), .link("a", password: "2"), .unlink("a"))
        },
        Use("accounts: the password of none", breaks: .unknownHandle) { probe in
            probe.askPassword("0")
            probe.askPassword("17")
        },
        Use("accounts: without a table for what becomes of them") { probe in
            probe.followAccounts()
            probe.askPassword("17")
        }
        .with { $0.events = [] },
    ]
}

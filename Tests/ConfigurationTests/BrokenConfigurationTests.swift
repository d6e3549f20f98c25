import Testing

@testable import Configuration

/// Broken files, and exactly what is said of them.
@Suite struct BrokenConfigurationTests {
    struct Broken: CustomTestStringConvertible, Sendable {
        let name: String
        let text: String
        let problems: [String]
        var testDescription: String { self.name }

        /// - Parameter rest: what completes the file without adding problems.
        init(_ name: String, _ text: String, _ problems: [String], rest: String = "providers: {e: {plugin: E}}") {
            self.name = name
            self.text = "\(text)\n\(rest)"
            self.problems = problems
        }
    }

    @Test("Every problem is said with its place", arguments: Self.values + Self.structure + Self.syntax)
    func problems(_ broken: Broken) {
        let (loaded, problems) = ConfigurationLoader.read(broken.text, file: "p.yaml", directory: "/nonexistent")
        #expect(loaded == nil)
        #expect(problems.map(\.description) == broken.problems.map { "p.yaml:\($0)" })
    }

    static let structure = [
        Broken(
            "an unknown key",
            "routr: {}",
            ["1:1: error: unknown key 'routr'; did you mean 'router'?"]
        ),
        Broken(
            "an unknown key with nothing near",
            "tls: { ciphersuites: x }",
            ["1:8: error: unknown key 'ciphersuites' in tls; possible here: trust, identities"]
        ),
        Broken(
            "a home domain that nobody serves",
            "home: {domains: {a.b: {}}}",
            ["1:18: error: missing key 'users' in home.domains[\"a.b\"]"]
        ),
        Broken(
            "a home domain that is served by nobody who is there",
            "home: {domains: {a.b: {served_by: f}}}",
            ["1:35: error: there is no provider 'f' to serve the home domain a.b; name one that is under providers"]
        ),
        Broken(
            "a home domain that is served twice",
            "home: {domains: {a.b: {users: any, served_by: e}}}",
            [
                "1:18: error: home.domains[\"a.b\"] has both users and served_by; leave users out: the provider knows who there is"
            ]
        ),
        Broken(
            "problems in several sections, in order",
            """
            router: { workers: two }
            spool: { durable: maybe, expire: soon }
            dns: { server: [] }
            """,
            [
                "1:20: error: router.workers must be an integer from 1 to 62, not 'two'",
                "2:19: error: spool.durable must be true or false, not 'maybe'",
                "2:34: error: spool.expire must be a duration from 1s to 90d, not 'soon'",
                "3:8: error: unknown key 'server' in dns; did you mean 'servers'?",
            ]
        ),
        Broken(
            "missing keys",
            "home: {}\ntls: { identities: { a.test: {} } }\n",
            [
                "1:7: error: missing key 'domains' in home; the organisation's own domains",
                "2:30: error: missing key 'certificate' in tls.identities[\"a.test\"]; "
                    + "a PEM file with the certificate and its issuers",
                "2:30: error: missing key 'key' in tls.identities[\"a.test\"]; the private key: 'file:PATH' or 'env:NAME'",
                "4:16: error: missing key 'plugin' in providers.e; a provider is a plugin, or a connector to an ordinary library",
            ],
            rest: "providers: {e: {}}"
        ),
        Broken(
            "wrong shapes",
            "router: []\nspool: now\ndns: { servers: 127.0.0.1 }\nplugin_path: { a: b }",
            [
                "1:9: error: router must be a map (id, workers, state, control, log), not a list",
                "2:8: error: spool must be a map (durable, expire, retry, dead_letters), not a single value",
                "3:17: error: dns.servers must be a list, not a single value; put it in brackets: [ ]",
                "4:14: error: plugin_path must be a list, not a map; begin each element with '- '",
            ]
        ),
        Broken(
            "a file that is a list",
            "- router",
            [
                "1:1: error: the file must be a map (router, log, home, spool, tls, dns, vault, plugin_path, providers, policy), not a list",
                "1:1: warning: no providers: the router would have no network to talk to",
            ],
            rest: ""
        ),
        Broken(
            "an empty file",
            "# nothing",
            ["1:1: error: the file is empty; a configuration names at least a provider"],
            rest: ""
        ),
        Broken(
            "duplicate keys, told apart and told with other problems",
            """
            router:
              id: a
              "id": b
              id: c
              workers: 0
            router: {}
            """,
            [
                "3:3: error: duplicate key 'id' in router; the first one is on line 2",
                "4:3: error: duplicate key 'id' in router; the first one is on line 2",
                "5:12: error: router.workers must be an integer from 1 to 62, not '0'",
                "6:1: error: duplicate key 'router'; the first one is on line 1",
            ]
        ),
        Broken(
            "a duplicate key in a flow map",
            "spool: { retry: { max: 1h, max: 2h } }",
            ["1:28: error: duplicate key 'max' in spool.retry; the first one is on line 1"]
        ),
        Broken(
            "a duplicate key that is written with an escape",
            #"spool: { "m\x61x": 1h, max: 2h, "\x6dax": 3h }"#,
            ["1:10: error: duplicate key 'max'; keep one of them"]
        ),
    ]

    static let values = [
        Broken(
            "numbers, words and durations out of range",
            """
            router: { workers: 63, log: wraning, id: "two words" }
            spool: { expire: 0s, durable: yes, retry: { first: 5, max: 2d, attempts: 0 } }
            """,
            [
                "1:20: error: router.workers must be an integer from 1 to 62, not '63'",
                "1:29: error: router.log must be one of trace, debug, info, notice, warning, error, critical, "
                    + "not 'wraning'; did you mean 'warning'?",
                "1:42: error: router.id must be 1 to 64 letters, digits, '-', '_' or '.', not 'two words'",
                "2:18: error: spool.expire must be a duration from 1s to 90d, not '0s'",
                "2:31: error: spool.durable must be true or false, not 'yes'; write 'true'",
                "2:52: error: spool.retry.first must be a duration from 100ms to 1h, not '5'; "
                    + "add a unit: ms, s, m, h or d",
                "2:60: error: spool.retry.max must be a duration from 100ms to 1d, not '2d'",
                "2:74: error: spool.retry.attempts must be an integer from 1 to 1000000, not '0'",
            ]
        ),
        Broken(
            "a first retry after the longest",
            "spool: { retry: { first: 10m, max: 5m } }",
            ["1:26: error: spool.retry.first (10m) is longer than spool.retry.max (5m)"]
        ),
        Broken(
            "users and domains",
            """
            home:
              domains:
                a.test: { users: [alice, alice@a.test, Alice, [], bob] }
                A.TEST: { users: any }
                not_a_domain: { users: any }
                b.test: { users: everybody }
                c.test: { users: { alice: true } }
            """,
            [
                "3:30: error: home.domains[\"a.test\"].users[1] must be the part of an address before the '@', not 'alice@a.test'",
                "3:44: error: the user 'Alice' is there twice in home.domains[\"a.test\"].users",
                "3:51: error: home.domains[\"a.test\"].users[3] must be the part of an address before the '@', not a list",
                "4:5: error: the domain 'a.test' is there twice in home.domains; capital letters make no difference in a domain",
                "5:5: error: 'not_a_domain' in home.domains is not a domain name",
                "6:22: error: home.domains[\"b.test\"].users must be a list of users or 'any', not 'everybody'; "
                    + "write [everybody] for one user",
                "7:22: error: home.domains[\"c.test\"].users must be a list of users or 'any', not a map",
            ]
        ),
        Broken(
            "files that are not there",
            """
            tls: { trust: [ca.pem], identities: { a.test: { certificate: /nonexistent/a.pem, key: file:a.key } } }
            plugin_path: [plugins]
            providers: { e: { plugin: ./libE.so } }
            """,
            [
                "1:16: error: tls.trust[0]: cannot read '/nonexistent/ca.pem': No such file or directory; "
                    + "relative paths start from the configuration file's directory",
                "1:62: error: tls.identities[\"a.test\"].certificate: cannot read '/nonexistent/a.pem': "
                    + "No such file or directory",
                "1:87: error: tls.identities[\"a.test\"].key: cannot read '/nonexistent/a.key': No such file or directory",
                "2:15: error: plugin_path[0]: cannot read the directory '/nonexistent/plugins': "
                    + "No such file or directory; relative paths start from the configuration file's directory",
                "3:27: error: providers.e.plugin: cannot read '/nonexistent/./libE.so': No such file or directory; "
                    + "relative paths start from the configuration file's directory",
            ],
            rest: ""
        ),
        Broken(
            "a trust list with nobody in it",
            "tls: { trust: [] }",
            ["1:15: error: tls.trust is empty: nobody would be trusted; remove it to trust the system's authorities"]
        ),
        Broken(
            "names and addresses",
            """
            dns:
              servers: [ns.a.test, "127.0.0.1:0", "127.0.0.1:66000"]
              hosts: { b.test: [b.test], c.test: [] }
            """,
            [
                "2:13: error: dns.servers[0] must be an IP address with an optional port, not 'ns.a.test'",
                "2:24: error: dns.servers[1] must be an IP address with an optional port, not '127.0.0.1:0'",
                "2:39: error: dns.servers[2] must be an IP address with an optional port, not '127.0.0.1:66000'",
                "3:21: error: dns.hosts[\"b.test\"][0] must be an IP address, not 'b.test'",
                "3:38: error: dns.hosts[\"c.test\"] has no addresses",
            ]
        ),
        Broken(
            "a provider's name and plugin",
            "providers: { 'x y': { plugin: 'X Y', setings: {} } }",
            [
                "1:14: error: a provider's name must be 1 to 64 letters, digits, '-' or '_', not 'x y'",
                "1:31: error: providers[\"x y\"].plugin must be a plugin's name or a path, not 'X Y'",
                "1:38: error: unknown key 'setings' in providers[\"x y\"]; did you mean 'settings'?",
            ],
            rest: ""
        ),
        Broken(
            "a control socket with too long a path",
            "router: { control: /" + String(repeating: "x", count: 107) + " }",
            [
                "1:20: error: the control socket's path is 108 bytes long, and a Unix socket's may be 107: "
                    + "'/\(String(repeating: "x", count: 59))…'; "
                    + "set router.control to a shorter path, such as /run/plugboard/control.sock"
            ]
        ),
    ]

    static let syntax = [
        Broken(
            "a tab",
            "router:\n\tid: a",
            [
                "2:1: error: YAML: found character that cannot start any token (while scanning for the next token from line 2); indent with spaces, not tabs"
            ]
        ),
        Broken(
            "a colon in a value",
            "router: { id: a }\nhome: domains: any",
            [
                "2:14: error: YAML: mapping values are not allowed in this context; "
                    + "put a value that holds ': ' in quotes, and check the indentation"
            ]
        ),
        Broken(
            "a bracket that is never closed",
            "plugin_path: [a",
            ["2:10: error: YAML: did not find expected ',' or ']' (while parsing a flow sequence from line 1)"]
        ),
        Broken(
            "a star that begins a value",
            "dns: { servers: [*:53] }",
            [
                "1:19: error: YAML: did not find expected alphabetic or numeric character (while scanning an alias from line 1); "
                    + "put a value that begins with '*' in quotes"
            ]
        ),
        Broken(
            "two documents",
            "router: {}\n---",
            [
                "2:1: error: YAML: but found another document (expected a single document in the stream from line 1); remove the '---' line"
            ]
        ),
        Broken(
            "a control character",
            "router: {}\nhome: \u{1}",
            [
                "2:7: error: YAML: control characters are not allowed; remove the character, or write it as an escape in double quotes"
            ]
        ),
        Broken(
            "an anchor",
            "router: &r { id: a }\nspool: *r",
            [
                "1:9: error: anchors ('&name') and aliases ('*name') are not supported; write the value out where it is needed"
            ]
        ),
        Broken(
            "a tag",
            "router: { workers: !!int 1 }",
            ["1:20: error: tags are not supported, such as 'tag:yaml.org,2002:int'; remove the tag"]
        ),
        Broken(
            "a key that is a list",
            "? [a, b]\n: c",
            ["1:3: error: a key must be a single word, not a list or map"]
        ),
    ]
}

// swift-tools-version: 6.3
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A plugin exports its entry function and nothing else, so that two plugins with copies of one
/// library in them cannot bind to each other's; and it is never unloaded.
let pluginLinking: [LinkerSetting] = [
    .unsafeFlags([
        "-Xlinker", "--version-script=\(Context.packageDirectory)/Plugins/plugin.map",
        "-Xlinker", "-z", "-Xlinker", "nodelete",
    ])
]

func nio(_ name: String) -> Target.Dependency { .product(name: name, package: "swift-nio") }
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let locks = nio("NIOConcurrencyHelpers")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let coreMetrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

/// For the modules that each message passes through: no check for overlapping access to stored properties at run time.
///
/// It was 3 % of the processor time of a message. Debug builds, and so all tests, keep the check.
let onMessagePath: [SwiftSetting] = [
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
]

/// A module of the core.
func module(_ name: String, _ dependencies: [Target.Dependency] = [], _ more: [SwiftSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings + more)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// A plugin is two targets: its logic, which tests can link, and a one-file entry, of which each
/// program can hold only one.
func plugin(_ name: String, logic: String, at path: String, logicPath: String, _ needs: [Target.Dependency]) -> [Target]
{
    [
        .target(
            name: logic,
            dependencies: ["ProviderKit"] + needs,
            path: "\(path)/\(logicPath)",
            swiftSettings: settings
        ),
        .target(
            name: name,
            dependencies: ["CPlugboard", "ProviderKit", .target(name: logic)],
            path: "\(path)/Entry",
            swiftSettings: settings,
            linkerSettings: pluginLinking
        ),
    ]
}

let core: [Target] = [
    .target(name: "CPlugboard", exclude: ["CHANGES.md"]),
    .systemLibrary(name: "CCares", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
    .systemLibrary(name: "CExpat", pkgConfig: "expat", providers: [.apt(["libexpat1-dev"])]),
    .systemLibrary(name: "CFFI", pkgConfig: "libffi", providers: [.apt(["libffi-dev"])]),
    .systemLibrary(name: "CLinux"),
    .systemLibrary(name: "CIDN", pkgConfig: "libidn", providers: [.apt(["libidn-dev"])]),
    module("IMModel"),
    module("Policy", ["IMModel"], onMessagePath),
    module("PolicyStore", ["Policy", grdb, locks]),
    module("Lanes", [], onMessagePath),
    module("NativeCalls"),
    .systemLibrary(name: "CMemory"),
    module("Routing", ["CMemory", "IMModel", "Policy"], onMessagePath),
    module("Spool", [grdb, locks]),
    module("Directory", ["IMModel", "Vault", grdb, locks]),
    module("Telemetry", [coreMetrics, locks, log]),
    module("Vault", [grdb, crypto, locks]),
    module("Configuration", ["IMModel", "NativeCalls", "Policy", yams]),
    module(
        "HostServices",
        [
            "CCares", "Telemetry", "Vault", coreMetrics, nio("NIOCore"), nio("NIOPosix"), nio("NIOTLS"),
            nio("NIOHTTP1"), locks, nioSSL, x509,
            crypto, log, asn1,
        ],
        onMessagePath
    ),
    module(
        "PluginHost",
        ["CFFI", "CLinux", "CMemory", "CPlugboard", "HostServices", "NativeCalls", "Telemetry", "Vault", locks, log],
        onMessagePath
    ),
    module("ProviderKit", ["CPlugboard", "IMModel"]),
    module("ProviderTestKit", ["CPlugboard", "IMModel", "ProviderKit", crypto]),
    module(
        "Router",
        [
            "CPlugboard", "Configuration", "Directory", "HostServices", "IMModel", "Lanes", "PluginHost", "ProviderKit",
            "NativeCalls", "Policy", "PolicyStore", "Routing", "Spool", "Telemetry", "Vault", coreMetrics, locks, log,
        ],
        onMessagePath
    ),
    module("ControlSocket", [locks, nio("NIOCore"), nio("NIOPosix"), log]),
    .executableTarget(
        name: "plugboard",
        dependencies: [
            "Configuration", "ControlSocket", "Directory", "IMModel", "NativeCalls", "PluginHost", "Policy",
            "PolicyStore", "Router", "Spool", "Telemetry", "Vault", coreMetrics, arguments, lifecycle, locks,
            .product(name: "UnixSignals", package: "swift-service-lifecycle"), log,
        ],
        swiftSettings: settings
    ),
]

let xmpp: [Target] =
    [
        .target(
            name: "XMPPWire",
            dependencies: ["CExpat", "CIDN"],
            path: "Plugins/XMPP/Wire",
            swiftSettings: settings
        ),
        .target(
            name: "XMPPSession",
            dependencies: ["XMPPWire"],
            path: "Plugins/XMPP/Session",
            swiftSettings: settings
        ),
        .target(
            name: "XMPPComponent",
            dependencies: ["IMModel", "XMPPWire"],
            path: "Plugins/XMPP/Component",
            swiftSettings: settings
        ),
    ]
    + plugin(
        "XMPP",
        logic: "XMPPBridge",
        at: "Plugins/XMPP",
        logicPath: "Bridge",
        ["XMPPWire", "XMPPSession", "XMPPComponent"]
    )

let aol: [Target] = [
    .target(name: "OSCARWire", path: "Plugins/AOL/Wire", swiftSettings: settings),
    .target(
        name: "OSCARSession",
        dependencies: ["OSCARWire"],
        path: "Plugins/AOL/Session",
        swiftSettings: settings
    ),
]

/// Networks to try plugins on: servers of their own.
let sandboxes: [Target] = [
    .target(
        name: "AIMSandbox",
        dependencies: ["OSCARWire", crypto, nio("NIOCore"), nio("NIOPosix")],
        path: "Examples/SandboxNetworks/AIM/Server",
        swiftSettings: settings
    ),
    .executableTarget(
        name: "SandboxAIM",
        dependencies: [
            "AIMSandbox", "OSCARWire", .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        ],
        path: "Examples/SandboxNetworks/AIM/Program",
        swiftSettings: settings
    ),
]

let examples: [Target] =
    plugin("EchoProvider", logic: "EchoProviderLogic", at: "Examples/EchoProvider", logicPath: "Provider", []) + [
        .executableTarget(
            name: "ExampleHost",
            dependencies: [
                "Configuration", "Directory", "IMModel", "PluginHost", "Router", x509, crypto, asn1, locks, log,
            ],
            path: "Examples/ExampleHost",
            swiftSettings: settings
        ),
        // A plugin in C, and a library that knows nothing of plugins.
        .target(
            name: "CProvider",
            dependencies: ["CPlugboard"],
            path: "Examples/CProvider",
            exclude: ["README.md"],
            publicHeadersPath: ".",
            cSettings: [.unsafeFlags(["-std=c11", "-Wall", "-Wextra"])],
            linkerSettings: pluginLinking
        ),
        .target(
            name: "Pager",
            path: "Examples/ForeignConnector/Pager",
            cSettings: [.unsafeFlags(["-std=c11", "-Wall", "-Wextra"])]
        ),
    ]

let allTests: [Target] = [
    tests("IMModelTests", ["IMModel"]),
    tests("LanesTests", ["Lanes", locks]),
    tests("PolicyTests", ["Policy", "IMModel"]),
    tests("PolicyStoreTests", ["Policy", "PolicyStore"]),
    tests("RoutingTests", ["Policy", "Routing"]),
    tests("SpoolTests", ["Spool", grdb]),
    tests("TelemetryTests", ["Telemetry", coreMetrics, log]),
    tests("VaultTests", ["Vault", grdb, locks]),
    tests("DirectoryTests", ["Directory", "IMModel", "Vault", locks]),
    tests("NativeCallsTests", ["NativeCalls"]),
    tests("ConfigurationTests", ["Configuration", "NativeCalls", "Policy"]),
    tests("ControlSocketTests", ["ControlSocket", nio("NIOCore"), nio("NIOPosix")]),
    tests(
        "HostServicesTests",
        [
            "HostServices", "Telemetry", "Vault", nio("NIOCore"), nio("NIOPosix"), nio("NIOHTTP1"), nioSSL, x509,
            crypto, asn1,
            locks, log,
        ]
    ),
    tests("ProviderKitTests", ["ProviderKit", "IMModel", "CPlugboard"]),
    tests(
        "ProviderTestKitTests",
        [
            "ProviderTestKit", "ProviderKit", "IMModel", "CPlugboard", "EchoProviderLogic", "XMPPBridge", "XMPPSession",
            "XMPPWire",
        ]
    ),
    tests(
        "PluginHostTests",
        [
            "PluginHost", "ProviderKit", "HostServices", "NativeCalls", "Telemetry", "Vault", "CPlugboard", "IMModel",
            nio("NIOCore"),
            nio("NIOPosix"), nio("NIOHTTP1"), locks, log,
        ]
    ),
    tests(
        "RouterTests",
        [
            "Router", "Configuration", "Directory", "HostServices", "IMModel", "Lanes", "PluginHost", "Policy",
            "PolicyStore", "ProviderKit", "Routing", "Spool", "Telemetry", "CPlugboard", locks, log,
        ]
    ),
    tests(
        "HostParityTests",
        [
            "ProviderTestKit", "ProviderKit", "Configuration", "Directory", "HostServices", "IMModel", "PluginHost",
            "Router",
            "CPlugboard", locks, log,
        ]
    ),
    tests("CommandTests", ["ControlSocket"]),
    tests("AIMSandboxTests", ["AIMSandbox", "OSCARWire", crypto, nio("NIOCore"), nio("NIOPosix")]),
    tests("OSCARSessionTests", ["OSCARSession", "OSCARWire", "AIMSandbox", crypto]),
    tests("OSCARWireTests", ["OSCARWire", crypto]),
    tests("XMPPWireTests", ["XMPPWire"]),
    tests("XMPPSessionTests", ["XMPPSession", "XMPPWire"]),
    tests(
        "XMPPComponentTests",
        ["XMPPBridge", "XMPPComponent", "XMPPWire", "ProviderKit", "ProviderTestKit", "IMModel", crypto]
    ),
    tests("XMPPBridgeTests", ["XMPPBridge", "XMPPSession", "XMPPWire", "ProviderKit", "IMModel", "CPlugboard"]),
]

/// Fuzz targets are programs without a main of their own: `make fuzz` builds them, nothing else does.
let fuzzers: [Target] =
    Context.environment["PLUGBOARD_FUZZ"] == nil
    ? []
    : [
        ("FuzzXMPPStream", ["XMPPWire"]), ("FuzzJID", ["XMPPWire"]), ("FuzzXMPPSession", ["XMPPSession", "XMPPWire"]),
        ("FuzzSignature", ["NativeCalls"]), ("FuzzXMPPComponent", ["XMPPComponent", "XMPPWire"]),
        ("FuzzOSCAR", ["OSCARWire"]),
    ]
    .map { name, needs in
        .executableTarget(
            name: name,
            dependencies: needs.map { .target(name: $0) },
            path: "Tests/Fuzz/\(name)",
            exclude: ["Corpus", "FailCases"],
            swiftSettings: settings
        )
    }

/// Plugins and programs of benchmarks alone: the targets `make bench-…` build them, nothing else does.
let benchmarks: [Target] =
    Context.environment["PLUGBOARD_BENCH"] == nil
    ? []
    : plugin(
        "LoadProvider",
        logic: "LoadProviderLogic",
        at: "Tests/Benchmarks/Federation/LoadProvider",
        logicPath: "Provider",
        []
    ) + [
        .target(name: "CHop", dependencies: ["CPlugboard"], path: "Tests/Benchmarks/Hop/Plugins"),
        .executableTarget(
            name: "HopBenchmark",
            dependencies: ["CHop", "Configuration", "IMModel", "PluginHost", "ProviderKit", "Router", log],
            path: "Tests/Benchmarks/Hop/Bench",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "SimulationBenchmark",
            dependencies: ["ProviderKit", "ProviderTestKit"],
            path: "Tests/Benchmarks/Simulation/Bench",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "NIOProxy",
            dependencies: [nio("NIOCore"), nio("NIOPosix")],
            path: "Tests/Benchmarks/Relay/NIOProxy",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "SpoolBenchmark",
            dependencies: ["Spool", grdb],
            path: "Tests/Benchmarks/Spool/Bench",
            swiftSettings: settings
        ),
        .target(
            name: "CLanePeers",
            path: "Tests/Benchmarks/Lanes/Peers",
            cSettings: [.unsafeFlags(["-O3"])],
            cxxSettings: [.unsafeFlags(["-O3"])]
        ),
        .executableTarget(
            name: "LaneBenchmark",
            dependencies: ["CLanePeers", "Lanes"],
            path: "Tests/Benchmarks/Lanes/LaneBenchmark",
            swiftSettings: settings,
            // What build-crossbeam leaves there.
            linkerSettings: [
                .unsafeFlags(["-L\(Context.packageDirectory)/.build-bench/lane-peers"]),
                .linkedLibrary("crossbeam_peer"),
            ]
        ),
    ]

let package = Package(
    name: "plugboard",
    products: [
        .executable(name: "plugboard", targets: ["plugboard"]),
        .executable(name: "ExampleHost", targets: ["ExampleHost"]),
        .library(name: "ProviderKit", targets: ["ProviderKit", "CPlugboard"]),
        .library(name: "ProviderTestKit", targets: ["ProviderTestKit"]),
        .library(name: "XMPP", type: .dynamic, targets: ["XMPP"]),
        .library(name: "EchoProvider", type: .dynamic, targets: ["EchoProvider"]),
        .library(name: "CProvider", type: .dynamic, targets: ["CProvider"]),
        .library(name: "Pager", type: .dynamic, targets: ["Pager"]),
    ] + (benchmarks.isEmpty ? [] : [.library(name: "LoadProvider", type: .dynamic, targets: ["LoadProvider"])]),
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: core + xmpp + aol + sandboxes + examples + allTests + fuzzers + benchmarks,
    swiftLanguageModes: [.v6]
)

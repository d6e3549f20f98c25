import Configuration
import Foundation
import PluginHost
import Testing

@testable import Router

@Suite("Pinned providers")
struct PinTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// The plugins of this build.
    private func buildFolder() throws -> String {
        let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: executable).deletingLastPathComponent().path
    }

    private func prepare(_ providers: String, linked: [String: Plugin] = [:]) throws -> [ProviderSetup] {
        let yaml = """
            router: {id: test, state: \(folder.path)/state}
            home: {domains: {home.example: {users: any}}}
            plugin_path: ["\(try buildFolder())"]
            providers:
            \(providers)
            """
        let read = ConfigurationLoader.read(yaml, file: "test.yaml", directory: folder.path)
        var preparation = ProviderPreparation(try #require(read.configuration, "\(read.problems)"), linked: linked)
        return preparation.prepareAll()
    }

    private static let wrong = String(repeating: "0", count: 64)

    @Test("A pin holds for each provider alone, whoever has loaded the plugin before")
    func eachAlone() throws {
        let settings = "settings: {address: echo@world.example}"
        let free = try prepare("  a: {plugin: EchoProvider, \(settings)}")
        let digest = try #require(free[0].plugin?.sha256)
        let setups = try prepare(
            """
              a: {plugin: EchoProvider, \(settings)}
              b: {plugin: EchoProvider, sha256: \(Self.wrong), \(settings)}
              c: {plugin: EchoProvider, sha256: \(digest.uppercased()), \(settings)}
              d: {plugin: "\(try buildFolder())/libEchoProvider.so", sha256: \(Self.wrong), \(settings)}
            """
        )
        #expect(setups.map { $0.plugin != nil } == [true, false, true, false])
        #expect(setups.map { $0.settings != nil } == [true, false, true, false])
        for index in [1, 3] {
            guard case .wrongDigest(_, Self.wrong, digest) = setups[index].refusal else {
                Issue.record("another refusal: \(setups[index].refusal as Any)")
                continue
            }
            #expect(setups[index].problems.map(\.position.line) == [5 + index])
        }
    }

    @Test("What is part of the program has no file to pin")
    func linked() throws {
        let script = Script("net", claims: [])
        let setups = try prepare("  net: {plugin: net, sha256: \(Self.wrong)}", linked: ["net": try script.plugin()])
        #expect(setups[0].refusal == .noFile(name: "net"))
        #expect(setups[0].problems.map(\.keyPath) == ["providers.net.sha256"])
    }
}

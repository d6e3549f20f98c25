import ProviderKit
import ProviderTestKit
import Testing

/// The settings of a line provider with a bug, and its server.
func lineConformance(_ bug: LineProvider.Bug, bytesPerSecond: Int? = nil) -> Conformance {
    guard let peer = Address("peer@line.example") else { preconditionFailure("peer@line.example is an address") }
    return Conformance(
        TestedPlugin(LineProvider.self),
        settings: ["server": "im.example", "domain": "line.example", "bug": bug.rawValue],
        to: peer
    ) {
        LineServer(bytesPerSecond: bytesPerSecond)
    }
}

@Suite struct LineConformanceTests {
    @Test(arguments: Conformance.Check.allCases)
    func aRightProviderConforms(to check: Conformance.Check) throws {
        var conformance = lineConformance(.none, bytesPerSecond: check == .slowPeer ? 100 : nil)
        conformance.refused = [["server": "im.example", "domain": "a b"], ["server": "im.example"]]
        try conformance.run(check)
    }
}

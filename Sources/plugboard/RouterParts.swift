internal import Configuration

/// What the command line needs of the router itself.
///
/// The commands are generic over it, so that they depend on nothing else of the router.
protocol RouterParts {
    /// The router's version, for `--version`.
    static var version: String { get }

    /// Runs the router until it is told to stop.
    ///
    /// - Throws: an error whose description says what was wrong and what to do.
    static func run(_ configuration: RouterConfiguration) async throws

    /// Loads the plugins that the configuration names, and lets them check their settings. Starts nothing.
    ///
    /// - Parameter configuration: may have errors of its own, which are known already.
    static func check(_ configuration: RouterConfiguration) async -> CheckFindings
}

/// What a check of the plugins found.
struct CheckFindings: Sendable {
    /// A provider whose library could be loaded.
    struct Library: Sendable {
        var provider: String
        var path: String
        /// In hexadecimal digits.
        var sha256: String
    }

    /// Problems with their place in the configuration file.
    var problems: [Problem]
    /// In the order of the configuration.
    var libraries: [Library]
}

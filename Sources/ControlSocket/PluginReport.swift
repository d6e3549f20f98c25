/// What became of one plugin library.
package struct PluginReport: Codable, Hashable, Sendable {
    package enum State: String, Codable, Hashable, Sendable {
        /// The file is there, and no provider uses it.
        case found
        case loaded
        /// The file is there, and the router will not have it.
        case refused
    }

    package var state: State
    package var path: String
    /// Why it was refused.
    package var reason: String?
    /// The plugin's own id, version and vendor, as far as they could be read.
    package var id: String?
    package var version: String?
    package var vendor: String?
    /// The SHA-256 of its file in hexadecimal digits; nil if it was not loaded from one.
    package var sha256: String?
    /// Its commands that are declared wrongly, and what is wrong; nil if there are none.
    package var commandRefusals: [String]?

    package init(
        state: State,
        path: String,
        reason: String? = nil,
        id: String? = nil,
        version: String? = nil,
        vendor: String? = nil,
        sha256: String? = nil,
        commandRefusals: [String] = []
    ) {
        self.state = state
        self.path = path
        self.reason = reason
        self.id = id
        self.version = version
        self.vendor = vendor
        self.sha256 = sha256
        self.commandRefusals = commandRefusals.isEmpty ? nil : commandRefusals
    }
}

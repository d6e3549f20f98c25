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

    package init(
        state: State,
        path: String,
        reason: String? = nil,
        id: String? = nil,
        version: String? = nil,
        vendor: String? = nil
    ) {
        self.state = state
        self.path = path
        self.reason = reason
        self.id = id
        self.version = version
        self.vendor = vendor
    }
}

/// What became of a reload.
package struct ReloadResult: Codable, Hashable, Sendable {
    /// False: the configuration has errors, and nothing has changed.
    package var applied: Bool
    /// What is wrong with the configuration, as `file:line:column: severity: sentence`.
    package var problems: [String]
    /// What was done, a sentence each.
    package var done: [String]
    /// What was asked for and did not work, with the reason.
    package var failed: [String]
    /// Keys whose new values count from the next start on.
    package var needsRestart: [String]
    /// Providers that were not touched.
    package var unchanged: [String]

    package init(
        applied: Bool,
        problems: [String] = [],
        done: [String] = [],
        failed: [String] = [],
        needsRestart: [String] = [],
        unchanged: [String] = []
    ) {
        self.applied = applied
        self.problems = problems
        self.done = done
        self.failed = failed
        self.needsRestart = needsRestart
        self.unchanged = unchanged
    }
}

/// A plugin that another version of it is to take over from.
package struct UpgradeRequest: Codable, Hashable, Sendable {
    /// A provider, or its plugin.
    package var plugin: String
    /// The new version's file, an absolute path.
    package var file: String
    /// What the file's SHA-256 is to be, in hexadecimal digits; nil: what the configuration pins, if it does.
    package var sha256: String?

    package init(plugin: String, file: String, sha256: String? = nil) {
        self.plugin = plugin
        self.file = file
        self.sha256 = sha256
    }
}

/// What became of an upgrade.
package struct UpgradeResult: Codable, Hashable, Sendable {
    /// Why nothing was done.
    package var refusal: String?
    /// What the new version finds wrong with the settings, as `file:line:column: severity: sentence`.
    package var problems: [String]
    /// What was done, a sentence each.
    package var done: [String]
    /// Providers that go on with the old version, with the reason.
    package var failed: [String]

    package init(refusal: String? = nil, problems: [String] = [], done: [String] = [], failed: [String] = []) {
        self.refusal = refusal
        self.problems = problems
        self.done = done
        self.failed = failed
    }
}

/// A provider that is to be started again.
package struct EnableRequest: Codable, Hashable, Sendable {
    package var provider: String

    package init(provider: String) {
        self.provider = provider
    }
}

/// Whether it runs.
package struct EnableResult: Codable, Hashable, Sendable {
    /// Why it does not; nil if it does.
    package var reason: String?

    package init(reason: String? = nil) {
        self.reason = reason
    }
}

package import Configuration

/// What a reload has done.
package struct ReloadAnswer: Sendable {
    /// False: the configuration has errors, and nothing has changed.
    package var isApplied: Bool
    /// Errors if it was not applied; else warnings.
    package var problems: [Problem] = []
    /// What was done, a sentence each.
    package var done: [String] = []
    /// What was asked for and did not work, with the reason; all else was done nevertheless.
    package var failed: [String] = []
    /// Keys whose new values count from the next start on.
    package var needsRestart: [String] = []
    /// Providers that were not touched.
    package var unchanged: [String] = []

    package init(isApplied: Bool, problems: [Problem] = []) {
        self.isApplied = isApplied
        self.problems = problems
    }
}

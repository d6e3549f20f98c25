/// What checking settings against a schema gave.
package struct SettingReport: Sendable {
    /// What is wrong, in the order of the file.
    package var problems: [Problem]
    /// The values in the order of the file, each map followed by the defaults of what it lacks.
    ///
    /// Durations are in milliseconds and sizes in bytes, both without a unit; secrets are references.
    package var entries: [SettingEntry]
    private let base: SettingPath
    private let file: String

    init(_ walk: SettingWalk) {
        self.problems = walk.problems.sorted()
        self.entries = walk.entries
        self.base = walk.base
        self.file = walk.problems.file
    }

    /// Fetches the secrets.
    ///
    /// Blocks while files are read.
    ///
    /// - Returns: all values, the secrets in clear, so keep them out of logs; and a problem for each secret that
    ///   cannot be had.
    package func resolve() -> (values: [(path: String, value: String)], problems: [Problem]) {
        var values: [(path: String, value: String)] = []
        var problems = ProblemList(file: self.file)
        for entry in self.entries {
            guard let secret = entry.secret else {
                values.append((entry.path, entry.value))
                continue
            }
            do throws(SecretError) {
                values.append((entry.path, try secret.resolve().text))
            } catch {
                let path = SettingPath(parsing: entry.path)?.steps ?? []
                let full = SettingPath(self.base.steps + path)
                problems.error("\(full): \(error)", at: entry.position, path: full)
            }
        }
        return (values, problems.sorted())
    }
}

extension SettingSchema {
    /// Checks `settings`, gathers their values, and completes them with defaults.
    ///
    /// A required setting must be there wherever the map around it is written; the outermost map counts as
    /// written.
    ///
    /// - Parameters:
    ///   - base: where the settings stand in the file, for the paths in messages.
    ///   - file: the file's name, for messages.
    ///   - directory: the absolute directory that relative paths of secrets start from.
    package func check(
        _ settings: SettingNode,
        at base: SettingPath,
        file: String,
        directory: String
    ) -> SettingReport {
        var walk = SettingWalk(base: base, directory: directory, problems: ProblemList(file: file))
        walk.visit(settings, self.root, at: .root)
        return SettingReport(walk)
    }

    /// The problems alone; see ``check(_:at:file:directory:)``.
    package func validate(_ settings: SettingNode, at base: SettingPath, file: String) -> [Problem] {
        self.check(settings, at: base, file: file, directory: "/").problems
    }
}

/// Reads configuration files.
package enum ConfigurationLoader {
    /// Largest configuration file, in bytes.
    package static let fileSizeMax = 1 << 20

    /// Reads the file `path`, and says everything that is wrong with it at once.
    ///
    /// Blocks while it reads the file and looks for the files that it names.
    ///
    /// - Returns: the configuration, or `nil` when a problem is an error; and the problems in the order of the file.
    package static func load(_ path: String) -> (configuration: RouterConfiguration?, problems: [Problem]) {
        let (draft, problems) = self.examine(path)
        return (problems.contains { $0.severity == .error } ? nil : draft, problems)
    }

    /// The same, for whoever looks for more that is wrong: the configuration comes also when it has errors.
    ///
    /// What is wrong in it has its default there, or is left out. It is `nil` only when the file cannot be read as YAML.
    package static func examine(_ path: String) -> (draft: RouterConfiguration?, problems: [Problem]) {
        do {
            let text = try FileReading.text(of: path, limit: Self.fileSizeMax)
            return self.examine(text, file: path, directory: FileReading.directory(of: path))
        } catch {
            var problems = ProblemList(file: path)
            problems.error("\(error)", at: .start)
            return (nil, problems.sorted())
        }
    }

    /// Reads a configuration from memory.
    ///
    /// - Parameters:
    ///   - file: the name for messages.
    ///   - directory: the absolute directory that relative paths start from.
    package static func read(
        _ text: String,
        file: String,
        directory: String
    ) -> (configuration: RouterConfiguration?, problems: [Problem]) {
        let (draft, problems) = self.examine(text, file: file, directory: directory)
        return (problems.contains { $0.severity == .error } ? nil : draft, problems)
    }

    private static func examine(
        _ text: String,
        file: String,
        directory: String
    ) -> (draft: RouterConfiguration?, problems: [Problem]) {
        var problems = ProblemList(file: file)
        guard text.utf8.count <= Self.fileSizeMax else {
            problems.error("\(FileError.tooLarge(path: file, limit: Self.fileSizeMax))", at: .start)
            return (nil, problems.sorted())
        }
        let root = YAMLDocument.parse(text, &problems)
        guard let root, !root.isNull else {
            if !problems.hasErrors {
                problems.error("the file is empty", at: .start, suggestion: "a configuration names at least a provider")
            }
            return (nil, problems.sorted())
        }

        var walk = SettingWalk(base: .root, directory: directory, problems: problems)
        walk.visit(root, RouterConfiguration.schema.root, at: .root)
        var context = SectionContext(problems: walk.problems, directory: directory)
        let configuration = RouterConfiguration(root, file: file, &context)
        return (configuration, context.problems.sorted())
    }
}

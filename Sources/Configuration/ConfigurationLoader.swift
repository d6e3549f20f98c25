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
        let text: String
        do {
            text = try FileReading.text(of: path, limit: Self.fileSizeMax)
        } catch {
            var problems = ProblemList(file: path)
            problems.error("\(error)", at: .start)
            return (nil, problems.sorted())
        }
        return self.read(text, file: path, directory: FileReading.directory(of: path))
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
        return (context.problems.hasErrors ? nil : configuration, context.problems.sorted())
    }
}

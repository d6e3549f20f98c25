internal import Glibc

/// What the sections share while they are read.
struct SectionContext {
    var problems: ProblemList
    /// The absolute directory of the configuration file, which relative paths start from.
    let directory: String

    init(problems: ProblemList, directory: String) {
        self.problems = problems
        self.directory = directory
    }

    /// An absolute path from `node`, which need not exist.
    mutating func path(_ node: SettingNode?, default fallback: String, at path: SettingPath) -> String {
        let text = node?.text ?? fallback
        if let node, text.isEmpty || text.utf8.contains(0) {
            self.problems.error("\(path) must be a path, not \(Shown.quoted(text))", at: node.position, path: path)
            return FileReading.absolute(fallback, in: self.directory)
        }
        return FileReading.absolute(text, in: self.directory)
    }

    /// An absolute path from `node` to something that must be there and readable.
    mutating func existingPath(_ node: SettingNode, isDirectory: Bool = false, at path: SettingPath) -> String {
        let absolute = self.path(node, default: ".", at: path)
        if let text = node.text, !text.isEmpty,
            let reason = FileReading.whyUnreadable(absolute, isDirectory: isDirectory)
        {
            self.problems.error(
                "\(path): cannot read \(isDirectory ? "the directory " : "")\(Shown.quoted(absolute)): \(reason)",
                at: node.position,
                path: path,
                suggestion: text.hasPrefix("/") ? nil : "relative paths start from the configuration file's directory"
            )
        }
        return absolute
    }

    /// A domain name in small letters from a map's key, or `nil` with a problem.
    mutating func domain(_ member: SettingNode.Member, in path: SettingPath) -> String? {
        guard NetworkNames.isDomain(member.key) else {
            self.problems.error(
                "\(Shown.quoted(member.key)) in \(path) is not a domain name",
                at: member.keyPosition,
                path: path.appending(key: member.key)
            )
            return nil
        }
        return member.key.lowercased()
    }

    /// The name of this host, or `router` when the system does not tell.
    static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "router" }
        let text = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return text.isEmpty ? "router" : text
    }
}

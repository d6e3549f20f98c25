/// Collects the problems of one file while it is read.
struct ProblemList {
    /// Problems kept; a file with more is broken in one way a hundred times.
    static let problemsMax = 100

    let file: String
    private(set) var problems: [Problem] = []
    /// Problems found after ``problemsMax`` was reached.
    private(set) var omitted = 0
    private(set) var hasErrors = false

    init(file: String) {
        self.file = file
    }

    mutating func error(
        _ message: String,
        at position: SourcePosition,
        path: SettingPath = .root,
        suggestion: String? = nil
    ) {
        self.append(.error, message, position, path, suggestion)
    }

    mutating func warning(
        _ message: String,
        at position: SourcePosition,
        path: SettingPath = .root,
        suggestion: String? = nil
    ) {
        self.append(.warning, message, position, path, suggestion)
    }

    var isFull: Bool {
        self.problems.count >= Self.problemsMax
    }

    /// The problems in the order of the file, and a last one that says how many were left out.
    func sorted() -> [Problem] {
        var sorted = self.problems.sorted {
            ($0.position, $0.keyPath, $0.message) < ($1.position, $1.keyPath, $1.message)
        }
        if self.omitted > 0, let last = sorted.last {
            let message = "\(self.omitted) more problems are not shown"
            sorted.append(
                Problem(
                    severity: self.hasErrors ? .error : .warning,
                    file: self.file,
                    position: last.position,
                    message: message
                )
            )
        }
        return sorted
    }

    private mutating func append(
        _ severity: Problem.Severity,
        _ message: String,
        _ position: SourcePosition,
        _ path: SettingPath,
        _ suggestion: String?
    ) {
        if severity == .error { self.hasErrors = true }
        guard self.problems.count < Self.problemsMax else {
            self.omitted += 1
            return
        }
        let problem = Problem(
            severity: severity,
            file: self.file,
            position: position,
            keyPath: path.description,
            message: message,
            suggestion: suggestion
        )
        // An alias stands where its anchor does: what is wrong there is said once.
        let isKnown = self.problems.contains { $0.position == position && $0.message == message }
        if !isKnown { self.problems.append(problem) }
    }
}

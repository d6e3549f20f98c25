internal import CPlugboard

/// What the host tells an instance at its creation.
public struct InstanceInfo: Hashable, Sendable {
    /// The instance's name in the configuration.
    public var id: String
    /// Its settings.
    public var settings: Settings
    /// The domains that the organisation serves.
    public var homeDomains: [String]

    /// For tests of providers, which have no host.
    public init(id: String, settings: Settings, homeDomains: [String]) {
        self.id = id
        self.settings = settings
        self.homeDomains = homeDomains
    }

    init(_ source: plugboard_instance_t) {
        id = source.id.string
        settings = Settings(elements(source.settings, source.setting_count).map { ($0.path.string, $0.value.string) })
        homeDomains = UnsafeBufferPointer(start: source.home_domains, count: source.home_domain_count).map(\.string)
    }
}

/// The settings of an instance: paths such as `partners[0].domain`, and their values.
///
/// The host has checked types and ranges by the schema and filled in the defaults; durations are in
/// ms, sizes in bytes, secrets resolved.
public struct Settings: Hashable, Sendable {
    private var values: [String: String] = [:]

    /// Settings from paths and values; of two with one path the later counts.
    public init(_ entries: [(path: String, value: String)]) {
        for entry in entries { values[entry.path] = entry.value }
    }

    /// The value at a path.
    public subscript(path: String) -> String? { values[path] }

    /// The whole number at a path: an integer, a duration in ms, or a size in bytes.
    public func integer(_ path: String) -> Int64? { values[path].flatMap { Int64($0) } }

    /// The truth value at a path.
    public func boolean(_ path: String) -> Bool? { values[path].map { $0 == "true" } }

    /// The values of a list of scalars.
    ///
    /// `list("listen")` reads `listen[0]`, `listen[1]` and so on, up to the first that is not there.
    public func list(_ path: String) -> [String] {
        var result: [String] = []
        while let value = values["\(path)[\(result.count)]"] { result.append(value) }
        return result
    }

    /// The elements of a list of maps.
    ///
    /// `elements("partners")` reads what stands below `partners[0]`, `partners[1]` and so on, up to the first that is not
    /// there. Each element comes with its own path, to be named in problems.
    public func elements(_ path: String) -> [(path: String, settings: Settings)] {
        var result: [(path: String, settings: Settings)] = []
        while true {
            let element = "\(path)[\(result.count)]"
            let below = values.filter { $0.key.hasPrefix("\(element).") }
            guard !below.isEmpty else { return result }
            let entries = below.map { (path: String($0.key.dropFirst(element.count + 1)), value: $0.value) }
            result.append((element, Settings(entries)))
        }
    }
}

/// What a check found wrong with an instance's settings.
public struct Problems: Sendable {
    /// One finding.
    public struct Problem: Hashable, Sendable {
        /// An error keeps the instance from starting; a warning does not.
        public var isError: Bool
        /// The setting, such as `partners[0].tls`.
        public var path: String
        /// What is wrong and how to mend it.
        public var sentence: String
    }

    /// All findings, in order.
    public private(set) var all: [Problem] = []

    /// No findings yet.
    public init() {}

    /// Notes what keeps the instance from starting.
    public mutating func error(_ path: String, _ sentence: String) {
        all.append(Problem(isError: true, path: path, sentence: sentence))
    }

    /// Notes what is probably not meant.
    public mutating func warning(_ path: String, _ sentence: String) {
        all.append(Problem(isError: false, path: path, sentence: sentence))
    }

    func report(to sink: UnsafePointer<plugboard_problems_t>?) {
        guard let sink, let report = sink.pointee.report else { return }
        for problem in all {
            let severity = problem.isError ? PLUGBOARD_PROBLEM_ERROR : PLUGBOARD_PROBLEM_WARNING
            withBytes(problem.path) { path in
                withBytes(problem.sentence) { report(sink.pointee.context, severity, path, $0) }
            }
        }
    }
}

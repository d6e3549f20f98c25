import CPlugboard

/// What a probe's calls answered and what it was called for: for each subject, such as a stream, in order.
///
/// Between two subjects there is no order: the host promises none.
struct Record: Equatable, Sendable {
    private(set) var lines: [String: [String]] = [:]

    /// Notes a line about a subject.
    mutating func note(_ subject: String, _ line: String) {
        lines[subject, default: []].append(line)
    }

    /// Adds to the last line of a subject if that begins so, else notes it.
    mutating func extend(_ subject: String, _ beginning: String, _ text: String) {
        if let last = lines[subject]?.last, last.hasPrefix(beginning) {
            lines[subject, default: []][lines[subject, default: []].count - 1] = last + text
        } else {
            note(subject, beginning + text)
        }
    }

    /// How many lines begin like this, with the subject in front.
    func count(_ line: String) -> Int {
        lines.reduce(0) { sum, entry in sum + entry.value.count { "\(entry.key) \($0)".hasPrefix(line) } }
    }

    /// What is not the same in two records, for people.
    func differences(from other: Record) -> [String] {
        Set(lines.keys).union(other.lines.keys).sorted().flatMap { subject in
            let (mine, theirs) = (lines[subject, default: []], other.lines[subject, default: []])
            return (0..<max(mine.count, theirs.count)).compactMap { index -> String? in
                let pair = [mine, theirs].map { index < $0.count ? $0[index] : "nothing" }
                return pair[0] == pair[1] ? nil : "\(subject): \(pair[0]) | \(pair[1])"
            }
        }
    }
}

/// A status by its name.
func statusName(_ status: plugboard_status_t) -> String {
    switch status {
    case PLUGBOARD_OK: "OK"
    case PLUGBOARD_HIGH: "HIGH"
    case PLUGBOARD_BUSY: "BUSY"
    case PLUGBOARD_E_INVALID: "E_INVALID"
    case PLUGBOARD_E_HANDLE: "E_HANDLE"
    case PLUGBOARD_E_STATE: "E_STATE"
    case PLUGBOARD_E_LIMIT: "E_LIMIT"
    case PLUGBOARD_E_UNSUPPORTED: "E_UNSUPPORTED"
    case PLUGBOARD_E_SYSTEM: "E_SYSTEM"
    case PLUGBOARD_E_SHUTDOWN: "E_SHUTDOWN"
    case PLUGBOARD_E_CONFLICT: "E_CONFLICT"
    default: "\(status)"
    }
}

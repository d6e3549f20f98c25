internal import CPlugboard

/// Settings as a plugin gets them: units converted, defaults filled in, as the router does before it.
struct SettingValues {
    /// Path and value, in the order of the paths.
    let entries: [(path: String, value: String)]

    /// Reads settings as an operator writes them.
    ///
    /// - Throws: ``InstanceRefusal`` for an unknown setting, a missing one, or a value that is none of its type.
    init(_ written: [String: String], schema: [plugboard_setting_schema_t]) throws(InstanceRefusal) {
        var values: [String: String] = [:]
        let rules = schema.map { (rule: $0, path: String(cString: $0.path)) }
        for (path, value) in written.sorted(by: { $0.key < $1.key }) {
            guard let rule = rules.first(where: { $0.path == Self.pattern(of: path) })?.rule else {
                throw InstanceRefusal("\(path) is no setting of this plugin")
            }
            values[path] = try Self.converted(value, rule, path)
        }
        for (rule, pattern) in rules {
            for path in Self.places(pattern, in: written) where values[path] == nil {
                if let standard = rule.standard {
                    values[path] = try Self.converted(String(cString: standard), rule, path)
                } else if rule.flags & PLUGBOARD_SETTING_REQUIRED != 0 {
                    throw InstanceRefusal("\(path) is missing")
                }
            }
        }
        entries = values.sorted { $0.key < $1.key }.map { (path: $0.key, value: $0.value) }
    }

    /// `partners[3].tls` is at `partners[].tls`.
    private static func pattern(of path: String) -> String {
        var result = ""
        var isInside = false
        for character in path {
            if character == "]" { isInside = false }
            if !isInside { result.append(character) }
            if character == "[" { isInside = true }
        }
        return result
    }

    /// Where a setting can stand: once, or in each element of its list that is written.
    private static func places(_ pattern: String, in written: [String: String]) -> [String] {
        guard pattern.contains("[") else { return [pattern] }
        guard !pattern.hasSuffix("[]") else { return [] }
        let parts = pattern.split(separator: "[", maxSplits: 1)
        let (list, rest) = (parts[0], parts[1].dropFirst(2))
        // A list inside a list has no defaults.
        guard !rest.contains("[") else { return [] }
        var places: [String] = []
        while written.keys.contains(where: { $0.hasPrefix("\(list)[\(places.count)].") }) {
            places.append("\(list)[\(places.count)].\(rest)")
        }
        return places
    }

    private static func converted(
        _ value: String,
        _ rule: plugboard_setting_schema_t,
        _ path: String
    ) throws(InstanceRefusal) -> String {
        let number: Int64?
        switch rule.type {
        case PLUGBOARD_SETTING_INTEGER: number = Int64(value)
        case PLUGBOARD_SETTING_DURATION:
            number = scaled(value, [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)])
        case PLUGBOARD_SETTING_SIZE:
            number = scaled(value, [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)])
        case PLUGBOARD_SETTING_BOOLEAN:
            guard value == "true" || value == "false" else { throw InstanceRefusal("\(path) is not true or false") }
            return value
        case PLUGBOARD_SETTING_CHOICE:
            let choices = rule.choices.map { String(cString: $0) } ?? ""
            guard choices.split(separator: "|").contains(value[...]) else {
                throw InstanceRefusal("\(path) is none of \(choices)")
            }
            return value
        default:
            return value
        }
        guard let number else { throw InstanceRefusal("\(path) cannot be \"\(value)\"") }
        let hasRange = rule.minimum != 0 || rule.maximum != 0
        guard !hasRange || (rule.minimum <= number && number <= rule.maximum) else {
            throw InstanceRefusal("\(path) must be \(rule.minimum) to \(rule.maximum), not \(number)")
        }
        return String(number)
    }

    private static func scaled(_ value: String, _ units: [(name: String, factor: Int64)]) -> Int64? {
        for (name, factor) in units where value.hasSuffix(name) {
            guard let number = Int64(value.dropLast(name.count)), number >= 0 else { continue }
            let (result, isTooLarge) = number.multipliedReportingOverflow(by: factor)
            return isTooLarge ? nil : result
        }
        return nil
    }
}

extension ServiceRecord {
    /// `records` in the order in which to try them: by priority, and among equals by chance in proportion to weight.
    ///
    /// Source: RFC 2782, "The format of the SRV RR", Weight.
    package static func ordered(
        _ records: [ServiceRecord],
        using generator: inout some RandomNumberGenerator
    ) -> [ServiceRecord] {
        var result: [ServiceRecord] = []
        for (_, group) in Dictionary(grouping: records, by: \.priority).sorted(by: { $0.key < $1.key }) {
            // Weight 0 goes first, so that it keeps a small chance of being drawn.
            var left = group.filter { $0.weight == 0 } + group.filter { $0.weight > 0 }
            while !left.isEmpty {
                let total = left.reduce(0) { $0 + Int($1.weight) }
                let drawn = Int.random(in: 0...total, using: &generator)
                var sum = 0
                let index = left.firstIndex { record in
                    sum += Int(record.weight)
                    return sum >= drawn
                }
                result.append(left.remove(at: index ?? 0))
            }
        }
        return result
    }
}

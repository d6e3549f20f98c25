/// Columns for people: as wide as their widest cell, numbers to the right, without trailing blanks.
struct TextTable {
    struct Column {
        var title: String
        var isNumber: Bool

        static func text(_ title: String) -> Column { Column(title: title, isNumber: false) }
        static func number(_ title: String) -> Column { Column(title: title, isNumber: true) }
    }

    private let columns: [Column]
    private var rows: [[String]] = []

    init(_ columns: [Column]) {
        self.columns = columns
    }

    /// Adds a row.
    ///
    /// - Precondition: one cell a column.
    mutating func add(_ cells: [String]) {
        precondition(cells.count == self.columns.count)
        self.rows.append(cells.map(Output.plain))
    }

    var isEmpty: Bool { self.rows.isEmpty }

    /// The title line, then a line a row.
    var lines: [String] {
        let all = [self.columns.map(\.title)] + self.rows
        let widths = self.columns.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { cells in
            let padded = self.columns.indices.map { index in
                let blanks = String(repeating: " ", count: widths[index] - cells[index].count)
                return self.columns[index].isNumber ? blanks + cells[index] : cells[index] + blanks
            }
            let line = padded.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }
}

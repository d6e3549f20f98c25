/// Cuts a stream of bytes into lines that end in a newline.
///
/// Pure.
struct LineFramer {
    private let lineMax: Int
    private var bytes: [UInt8] = []
    /// Where the next line begins.
    private var start = 0
    /// Up to where no newline was found.
    private var searched = 0

    /// - Parameter lineMax: longest line, in bytes without the newline.
    init(lineMax: Int) {
        self.lineMax = lineMax
    }

    mutating func append(_ more: some Sequence<UInt8>) {
        if self.start > 0 {
            self.bytes.removeFirst(self.start)
            self.searched -= self.start
            self.start = 0
        }
        self.bytes.append(contentsOf: more)
    }

    /// The next whole line without its newline, or `nil` until there is one.
    ///
    /// - Throws: ``ControlError/lineTooLong(limit:)``; what follows cannot be understood.
    mutating func nextLine() throws(ControlError) -> [UInt8]? {
        guard let newline = self.bytes[self.searched...].firstIndex(of: UInt8(ascii: "\n")) else {
            self.searched = self.bytes.count
            guard self.searched - self.start <= self.lineMax else { throw .lineTooLong(limit: self.lineMax) }
            return nil
        }
        guard newline - self.start <= self.lineMax else { throw .lineTooLong(limit: self.lineMax) }
        let line = Array(self.bytes[self.start..<newline])
        self.start = newline + 1
        self.searched = self.start
        return line
    }
}

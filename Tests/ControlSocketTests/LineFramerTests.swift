import Testing

@testable import ControlSocket

@Suite struct LineFramerTests {
    private func lines(_ framer: inout LineFramer) throws -> [String] {
        var lines: [String] = []
        while let line = try framer.nextLine() { lines.append(String(decoding: line, as: UTF8.self)) }
        return lines
    }

    @Test(arguments: 1...9)
    func linesDoNotDependOnHowTheyArrive(chunk: Int) throws {
        var framer = LineFramer(lineMax: 5)
        var found: [String] = []
        var rest = Array("one\n\nthree\nfour".utf8)[...]
        while !rest.isEmpty {
            framer.append(rest.prefix(chunk))
            rest = rest.dropFirst(chunk)
            found += try self.lines(&framer)
        }
        #expect(found == ["one", "", "three"])
        framer.append("\n".utf8)
        #expect(try self.lines(&framer) == ["four"])
    }

    @Test func aLineHasALimitWithAndWithoutItsNewline() throws {
        var framer = LineFramer(lineMax: 3)
        framer.append("abc".utf8)
        #expect(try framer.nextLine() == nil)
        framer.append("\n".utf8)
        #expect(try self.lines(&framer) == ["abc"])

        var unfinished = LineFramer(lineMax: 3)
        unfinished.append("abcd".utf8)
        #expect(throws: ControlError.lineTooLong(limit: 3)) { try unfinished.nextLine() }

        var whole = LineFramer(lineMax: 3)
        whole.append("a\nabcd\n".utf8)
        #expect(try whole.nextLine() == Array("a".utf8))
        #expect(throws: ControlError.lineTooLong(limit: 3)) { try whole.nextLine() }
    }
}

import NativeCalls
import Testing

@Suite("Forms of commands")
struct CommandFormTests {
    private func form(
        _ signature: String,
        _ names: String,
        name: String = "set-profile"
    ) throws(CommandFault) -> CommandForm {
        try CommandForm(name: name, signature: signature, argumentNames: names, help: "Sets it.")
    }

    @Test("A declaration is read, defaults with it")
    func reading() throws {
        let form = try form("s(s,i,d,b,s)", "user,seconds=60,rate=0.5,loud=true,note=")
        #expect(form.parameters.map(\.name) == ["user", "seconds", "rate", "loud", "note"])
        let standards: [CommandValue?] = [nil, .integer(60), .number(0.5), .truth(true), .text("")]
        #expect(form.parameters.map(\.standard) == standards)
        #expect(form.usage == "set-profile USER [SECONDS=60] [RATE=0.5] [LOUD=true] [NOTE=]")
        #expect(try self.form("v()", "").usage == "set-profile")
    }

    @Test(
        "A wrong declaration is refused for what is wrong with it",
        arguments: [
            ("v(i)", "", CommandFault.nameCount(names: 0, parameters: 1)),
            ("v()", "user", .nameCount(names: 1, parameters: 0)),
            ("v(i,i)", "a,", .badArgumentName("", character: 3)),
            ("v(i,i)", "a,1b", .badArgumentName("1b", character: 3)),
            ("v(i,i)", "aa,aa", .duplicateArgument("aa", character: 4)),
            ("v(i)", "a=x", .badDefault("a", value: "x", expected: "an integer of 64 bits")),
            ("v(i,i)", "a=1,b", .defaultMissing("b", character: 5)),
            ("v(i", "a", .badSignature("v(i", .missingSign(character: 4, sign: ")", found: ""))),
            ("v(pointer)", "a", .badType(signature: "v(pointer)", type: .pointer)),
            ("i32()", "", .badType(signature: "i32()", type: .i32)),
        ]
    )
    func faults(signature: String, names: String, fault: CommandFault) {
        #expect(throws: fault) { try form(signature, names) }
    }

    @Test("Names are letters, digits, '-' and '_', and 64 at most", arguments: ["", "1a", "a b", "ä", "-a", "a;"])
    func names(name: String) throws {
        #expect(throws: CommandFault.badName(name)) { try form("v()", "", name: name) }
        let longest = String(repeating: "x", count: CommandForm.nameBytesMax)
        #expect(try form("v()", "", name: longest).name == longest)
        #expect(throws: CommandFault.badName(longest + "x")) { try form("v()", "", name: longest + "x") }
    }

    @Test("Arguments are read by their types, and defaults fill in")
    func arguments() throws {
        let form = try form("v(s,i,d,b)", "user,seconds,rate=1.5,loud=false")
        #expect(
            try form.values(of: ["al ice", "-9223372036854775808"])
                == [.text("al ice"), .integer(.min), .number(1.5), .truth(false)]
        )
        #expect(
            try form.values(of: ["", "7", "-2e3", "true"]) == [.text(""), .integer(7), .number(-2000), .truth(true)]
        )
    }

    @Test("Too many or too few arguments are refused with the command's form")
    func counts() throws {
        let form = try form("v(s,i)", "user,seconds=1")
        #expect(throws: ArgumentError.missing(command: form.usage, argument: "user")) { try form.values(of: []) }
        #expect(throws: ArgumentError.tooMany(command: form.usage, given: 3, taken: 2)) {
            try form.values(of: ["a", "1", "2"])
        }
    }

    @Test(
        "An argument of another type is refused by name with what was expected",
        arguments: [
            ("i", "x"), ("i", ""), ("i", "1.5"), ("i", "9223372036854775808"), ("i", "+1"), ("i", " 1"), ("d", "nan"),
            ("d", "inf"), ("d", "0x10"), ("d", "1e999"), ("b", "yes"), ("b", "1"), ("s", "a\0b"),
        ]
    )
    func wrongArgument(type: String, text: String) throws {
        let form = try form("v(\(type))", "value")
        let error = #expect(throws: ArgumentError.self) { try form.values(of: [text]) }
        #expect(error?.description.hasPrefix("the argument 'value' must be ") == true)
    }

    @Test("A text as long as is allowed passes, one byte more does not")
    func textLimit() throws {
        let form = try form("v(s)", "text")
        let longest = String(repeating: "x", count: CommandValue.argumentBytesMax)
        #expect(try form.values(of: [longest]) == [.text(longest)])
        #expect(throws: ArgumentError.self) { try form.values(of: [longest + "x"]) }
    }
}

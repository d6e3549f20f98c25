import NativeCalls
import Testing

@Suite("Signatures")
struct SignatureTests {
    @Test(
        "A signature is read, with letters or names, and blanks where they may be",
        arguments: [
            ("v()", "void()"), ("s(s,i)", "string(string,i64)"),
            ("  i32 ( pointer , string )  ", "i32(pointer,string)"),
            ("d(b,d)", "f64(bool,f64)"),
            ("void(i8,u8,i16,u16,i32,u32,i64,u64,f32)", "void(i8,u8,i16,u16,i32,u32,i64,u64,f32)"),
        ]
    )
    func reading(text: String, canonical: String) throws {
        let signature = try Signature(parsing: text)
        #expect(signature.description == canonical)
        #expect(try Signature(parsing: canonical) == signature)
    }

    @Test(
        "What is wrong is said with its character",
        arguments: [
            ("", SignatureError.missingType(character: 1, found: "")),
            ("  ", .missingType(character: 3, found: "")),
            ("(i)", .missingType(character: 1, found: "(")),
            ("q(i)", .unknownType(character: 1, word: "q")),
            ("s", .missingSign(character: 2, sign: "(", found: "")),
            ("s i", .missingSign(character: 3, sign: "(", found: "i")),
            ("s(", .missingType(character: 3, found: "")),
            ("s(i", .missingSign(character: 4, sign: ")", found: "")),
            ("s(i,)", .missingType(character: 5, found: ")")),
            ("s(i,int)", .unknownType(character: 5, word: "int")),
            ("s(i i)", .missingSign(character: 5, sign: ")", found: "i")),
            ("s(v)", .voidParameter(character: 3)),
            ("s(i)x", .surplus(character: 5, found: "x")),
            ("s(é)", .missingType(character: 3, found: "é")),
            ("S(i)", .unknownType(character: 1, word: "S")),
        ]
    )
    func faults(text: String, error: SignatureError) {
        #expect(throws: error) { try Signature(parsing: text) }
        #expect(error.description.contains("at character"))
    }

    @Test("As many parameters as are allowed, and not one more")
    func parameterLimit() throws {
        let most = Array(repeating: "i", count: Signature.parametersMax).joined(separator: ",")
        #expect(try Signature(parsing: "v(\(most))").parameters.count == Signature.parametersMax)
        #expect(throws: SignatureError.tooManyParameters(character: 3 + 2 * Signature.parametersMax)) {
            try Signature(parsing: "v(\(most),i)")
        }
    }

    @Test("As long as is allowed, and not one byte more")
    func lengthLimit() throws {
        let blanks = String(repeating: " ", count: Signature.bytesMax - 3)
        #expect(try Signature(parsing: "v()" + blanks).parameters == [])
        #expect(throws: SignatureError.tooLong(bytes: Signature.bytesMax + 1)) {
            try Signature(parsing: "v()" + blanks + " ")
        }
    }
}

/// The bytes that a text spells: hexadecimal digits, and text in quotes; spaces are for the eye.
func bytes(_ text: String) -> [UInt8] {
    var result: [UInt8] = []
    for (index, part) in text.split(separator: "\"", omittingEmptySubsequences: false).enumerated() {
        if index.isMultiple(of: 2) {
            let digits = part.filter { !$0.isWhitespace }
            precondition(digits.count.isMultiple(of: 2), "half a byte in \(part)")
            var rest = digits[...]
            while !rest.isEmpty {
                guard let byte = UInt8(rest.prefix(2), radix: 16) else { preconditionFailure("no digits: \(rest)") }
                result.append(byte)
                rest = rest.dropFirst(2)
            }
        } else {
            result += Array(part.utf8)
        }
    }
    return result
}

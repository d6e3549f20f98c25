/// An IPv6 address as it stands in the domain part of a JID, in brackets (RFC 7622 §3.2, RFC 3986 §3.2.2).
enum IPv6Literal {
    /// Whether `literal` is an address as RFC 4291 §2.2 writes it, in brackets.
    ///
    /// Zones are not allowed.
    static func isValid(_ literal: String) -> Bool {
        guard literal.utf8.first == UInt8(ascii: "["), literal.utf8.last == UInt8(ascii: "]") else { return false }
        let address = literal.utf8.dropFirst().dropLast()
        // Longest: six groups of four digits and an IPv4 address.
        guard 2...45 ~= address.count else { return false }

        let colon = UInt8(ascii: ":")
        var groups = address.split(separator: colon, omittingEmptySubsequences: false)
        guard groups.count >= 3 else { return false }
        // "::" at either end leaves two empty groups there, where one stands for the run of zeros.
        if groups[0].isEmpty {
            guard groups[1].isEmpty else { return false }
            groups.removeFirst()
        }
        if groups[groups.count - 1].isEmpty {
            guard groups.count >= 2, groups[groups.count - 2].isEmpty else { return false }
            groups.removeLast()
        }
        let runs = groups.count { $0.isEmpty }
        var count = groups.count - runs
        if let last = groups.last, last.contains(UInt8(ascii: ".")) {
            guard self.isIPv4(last) else { return false }
            groups.removeLast()
            count += 1
        }
        guard groups.allSatisfy({ $0.isEmpty || self.isGroup($0) }) else { return false }
        return runs == 0 ? count == 8 : runs == 1 && count <= 7
    }

    private static func isGroup(_ digits: Substring.UTF8View) -> Bool {
        1...4 ~= digits.count
            && digits.allSatisfy { byte in
                UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte | 0x20
            }
    }

    private static func isIPv4(_ address: Substring.UTF8View) -> Bool {
        let numbers = address.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return numbers.count == 4
            && numbers.allSatisfy { digits in
                guard 1...3 ~= digits.count, digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else {
                    return false
                }
                return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) } <= 255
            }
    }
}

import Glibc

/// Names and addresses in text form, checked.
enum DNSName {
    /// `text` in lower case without a final dot, or nil if it is no host or service name: labels of 1 to 63 letters,
    /// digits, "-" and "_", at most 253 characters in all.
    ///
    /// Other scripts come as A-labels (RFC 5890).
    static func checked(_ text: String) -> String? {
        var bytes = Array(text.utf8)
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        guard !bytes.isEmpty, bytes.count <= 253 else { return nil }
        for label in bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard (1...63).contains(label.count), label.allSatisfy(isNameByte) else { return nil }
        }
        return String(decoding: bytes, as: UTF8.self).lowercased()
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }
}

extension IPAddress {
    /// The address that `text` is, or nil if it is none.
    ///
    /// Brackets and zones are not taken.
    init?(_ text: String) {
        if Self.bytes(AF_INET, text) != nil {
            self = .v4(text)
        } else if Self.bytes(AF_INET6, text) != nil {
            self = .v6(text)
        } else {
            return nil
        }
    }

    /// The address of these 4 or 16 bytes in network order.
    init?(networkOrder bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 4 || bytes.count == 16, let base = bytes.baseAddress else { return nil }
        var buffer = [CChar](repeating: 0, count: 64)
        inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, base, &buffer, socklen_t(buffer.count))
        let text = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        self = bytes.count == 4 ? .v4(text) : .v6(text)
    }

    /// The 4 or 16 bytes of the address in network order.
    var networkOrder: [UInt8] {
        switch self {
        case .v4(let text): Self.bytes(AF_INET, text) ?? []
        case .v6(let text): Self.bytes(AF_INET6, text) ?? []
        }
    }

    private static func bytes(_ family: Int32, _ text: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: family == AF_INET ? 4 : 16)
        return inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }

    /// `first` and `second` by turns, so that a broken network of one kind costs one attempt, not many (RFC 8305 §4).
    static func interleaved(_ first: [IPAddress], _ second: [IPAddress]) -> [IPAddress] {
        var result: [IPAddress] = []
        for index in 0..<max(first.count, second.count) {
            if index < first.count { result.append(first[index]) }
            if index < second.count { result.append(second[index]) }
        }
        return result
    }
}

import XMPPWire

/// Whatever a JID is made of: preparing it ends, keeps the limits, and preparing the result changes nothing more.
@c(LLVMFuzzerTestOneInput)
public func fuzzJID(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    fuzz(String(decoding: bytes, as: UTF8.self))
    // Reaches far more letters than random UTF-8, of which most is malformed.
    let units = stride(from: 0, to: count - 1, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
    fuzz(String(decoding: units, as: UTF16.self))
    return 0
}

private func fuzz(_ text: String) {
    if let jid = try? JID(text) {
        check(jid)
    }
    if let jid = try? JID(local: text, domain: "a", resource: text) {
        check(jid)
    }
    if let jid = try? JID(local: nil, domain: text) {
        check(jid)
    }
    if let jid = try? JID(local: nil, domain: "a", resource: text) {
        check(jid)
    }
}

private func check(_ jid: JID) {
    for part in [jid.local, jid.domain, jid.resource] {
        guard let part else { continue }
        precondition(1...JID.partBytesMax ~= part.utf8.count)
        precondition(!part.utf8.contains(0))
    }
    precondition(!jid.domain.utf8.contains { $0 == UInt8(ascii: "@") || $0 == UInt8(ascii: "/") })
    precondition(jid.local.map { !$0.utf8.contains { $0 == UInt8(ascii: "@") || $0 == UInt8(ascii: "/") } } ?? true)
    precondition((try? JID(jid.description)) == jid)
    precondition((try? JID(local: jid.local, domain: jid.domain, resource: jid.resource)) == jid)
}

import CCares
import Glibc

/// c-ares' words in ours: status codes, and the records of an answer.
enum CaresAnswer {
    /// The error that `status` stands for, or nil for success.
    static func error(_ status: Int32) -> ResolveError? {
        switch status {
        case ARES_SUCCESS: nil
        case ARES_ENODATA, ARES_ENOTFOUND: .notFound
        case ARES_EBADNAME: .invalidName
        case ARES_EBADRESP: .badAnswer
        case ARES_ECANCELLED, ARES_EDESTRUCTION: .cancelled
        default: .temporary(String(cString: ares_strerror(status)))
        }
    }

    static func addresses4(_ answer: UnsafeBufferPointer<UInt8>, max: Int) throws(ResolveError) -> [IPAddress] {
        var records = [ares_addrttl](repeating: ares_addrttl(), count: max)
        var count = Int32(max)
        try check(ares_parse_a_reply(answer.baseAddress, Int32(answer.count), nil, &records, &count))
        guard count > 0 else { throw .notFound }
        return records.prefix(Int(count)).compactMap { record in
            withUnsafeBytes(of: record.ipaddr) { IPAddress(networkOrder: $0) }
        }
    }

    static func addresses6(_ answer: UnsafeBufferPointer<UInt8>, max: Int) throws(ResolveError) -> [IPAddress] {
        var records = [ares_addr6ttl](repeating: ares_addr6ttl(), count: max)
        var count = Int32(max)
        try check(ares_parse_aaaa_reply(answer.baseAddress, Int32(answer.count), nil, &records, &count))
        guard count > 0 else { throw .notFound }
        return records.prefix(Int(count)).compactMap { record in
            withUnsafeBytes(of: record.ip6addr) { IPAddress(networkOrder: $0) }
        }
    }

    /// SRV records; those whose target is no host name are left out.
    static func services(_ answer: UnsafeBufferPointer<UInt8>, max: Int) throws(ResolveError) -> [ServiceRecord] {
        var list: UnsafeMutablePointer<ares_srv_reply>?
        try check(ares_parse_srv_reply(answer.baseAddress, Int32(answer.count), &list))
        defer { ares_free_data(list) }
        var records: [ServiceRecord] = []
        var next = list
        while let record = next?.pointee, records.count < max {
            next = record.next
            let host = String(cString: record.host)
            // RFC 2782: a target of "." says that the service is decidedly not offered.
            guard let target = host.isEmpty || host == "." ? "" : DNSName.checked(host) else { continue }
            records.append(
                ServiceRecord(priority: record.priority, weight: record.weight, port: record.port, target: target)
            )
        }
        guard !records.isEmpty else { throw list == nil ? .notFound : .badAnswer }
        return records
    }

    /// TXT records, the strings of each joined.
    static func texts(_ answer: UnsafeBufferPointer<UInt8>, max: Int) throws(ResolveError) -> [[UInt8]] {
        var list: UnsafeMutablePointer<ares_txt_ext>?
        try check(ares_parse_txt_reply_ext(answer.baseAddress, Int32(answer.count), &list))
        defer { ares_free_data(list) }
        var records: [[UInt8]] = []
        var next = list
        while let part = next?.pointee {
            next = part.next
            if part.record_start != 0 || records.isEmpty {
                guard records.count < max else { break }
                records.append([])
            }
            records[records.count - 1] += UnsafeBufferPointer(start: part.txt, count: part.length)
        }
        guard !records.isEmpty else { throw .notFound }
        return records
    }

    private static func check(_ status: Int32) throws(ResolveError) {
        if let error = error(status) { throw error }
    }
}

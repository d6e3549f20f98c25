/// Randomness fit for keys and identifiers.
package enum HostRandom {
    /// The most that ``bytes(_:)`` gives at once.
    package static let bytesMax = 65_536

    /// Fills `buffer`.
    package static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        var generator = SystemRandomNumberGenerator()
        var offset = 0
        while offset < buffer.count {
            withUnsafeBytes(of: generator.next()) { word in
                let n = min(word.count, buffer.count - offset)
                buffer[offset..<offset + n].copyBytes(from: word.prefix(n))
                offset += n
            }
        }
    }

    /// `count` random bytes.
    ///
    /// - Throws: ``ServiceError/limitReached(_:limit:)`` past ``bytesMax``, ``ServiceError/invalidArgument(_:)`` below 0.
    package static func bytes(_ count: Int) throws(ServiceError) -> [UInt8] {
        guard count >= 0 else { throw .invalidArgument("\(count) random bytes were asked for") }
        guard count <= bytesMax else { throw .limitReached(.randomBytes, limit: bytesMax) }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
            fill(UnsafeMutableRawBufferPointer(buffer))
            used = count
        }
    }
}

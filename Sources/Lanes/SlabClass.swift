/// The size of a slab that the pools keep for reuse, or none of these.
enum SlabClass: UInt32, CaseIterable {
    /// A chat message with its addresses.
    case small
    case medium
    case large
    /// A contact list, an avatar.
    case huge
    /// Larger than the pools keep: from the system and back to it each time.
    case direct

    /// The smallest class that holds `byteCount` bytes.
    init(byteCount: Int) {
        self =
            switch byteCount {
            case ...Self.small.byteCount: .small
            case ...Self.medium.byteCount: .medium
            case ...Self.large.byteCount: .large
            case ...Self.huge.byteCount: .huge
            default: .direct
            }
    }

    /// Bytes a slab of this class holds; the most there can be for ``direct``, which holds what was asked for.
    var byteCount: Int {
        switch self {
        case .small: 512
        case .medium: 2 * 1024
        case .large: 8 * 1024
        case .huge: 64 * 1024
        case .direct: SlabPools.slabBytesMax
        }
    }

    /// The most free slabs of this class that one thread keeps; together 4.5 MiB.
    ///
    /// A return ring takes a slab of this class only while it holds fewer slabs than this.
    var cachedMax: Int {
        switch self {
        case .small: 1024
        case .medium: 1024
        case .large: 128
        case .huge: 16
        case .direct: 0
        }
    }
}

/// The size of a slab that the pools keep for reuse, or none of these.
enum SlabClass: UInt32, CaseIterable {
    /// A chat message of some hundred bytes with its addresses, and what the router keeps of it.
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
        case .small: 1024
        case .medium: 2 * 1024
        case .large: 8 * 1024
        case .huge: 64 * 1024
        case .direct: SlabPools.slabBytesMax
        }
    }

    /// The most free slabs of this class that one thread keeps; together 7 MiB.
    ///
    /// A return ring takes a slab of this class only while it holds fewer slabs than this. Of the small ones, a thread keeps as
    /// many as fill a lane: more do not come home at once from a consumer that empties one.
    var cachedMax: Int {
        switch self {
        case .small: 4096
        case .medium: 512
        case .large: 128
        case .huge: 16
        case .direct: 0
        }
    }
}

/// One block of a slab pool, known by the address its user holds; a header lies hidden before it.
///
///     −16  owner      UInt32   index of the pool that made it
///     −12  state      UInt32   class, and whether it is in use
///      −8  next       UInt     address of the next free slab of the class, while it is in a free list
///       0  the user's bytes
struct Slab {
    /// What the user holds, aligned to 16 bytes.
    let bytes: UnsafeMutableRawPointer

    private static let headerBytes = 16
    /// Upper half of `state`: tells a slab in use from one that was released, and from memory that is no slab.
    private static let inUseMark: UInt32 = 0x51AB_0000
    private static let freeMark: UInt32 = 0xF4EE_0000
    private static let markMask: UInt32 = 0xFFFF_0000

    /// The slab at an address that the user got from an allocation.
    @inline(__always)
    init(at bytes: UnsafeMutableRawPointer) {
        self.bytes = bytes
    }

    /// The slab whose address travelled as a word through a ring or a list; nil for 0.
    @inline(__always)
    init?(word: UInt) {
        guard let bytes = UnsafeMutableRawPointer(bitPattern: word) else { return nil }
        self.bytes = bytes
    }

    /// Gets a slab in use from the system.
    static func make(_ slabClass: SlabClass, byteCount: Int, owner: Int) -> Slab {
        let held = slabClass == .direct ? byteCount : slabClass.byteCount
        let base = UnsafeMutableRawPointer.allocate(byteCount: Self.headerBytes + held, alignment: Self.headerBytes)
        let slab = Slab(at: base + Self.headerBytes)
        base.storeBytes(of: UInt32(owner), as: UInt32.self)
        slab.state = Self.inUseMark | slabClass.rawValue
        slab.next = 0
        return slab
    }

    /// Gives the slab back to the system.
    func free() {
        (self.bytes - Self.headerBytes).deallocate()
    }

    /// The address as a word, never 0.
    var word: UInt { UInt(bitPattern: self.bytes) }

    var owner: Int { Int((self.bytes - 16).load(as: UInt32.self)) }

    private var state: UInt32 {
        get { (self.bytes - 12).load(as: UInt32.self) }
        nonmutating set { (self.bytes - 12).storeBytes(of: newValue, as: UInt32.self) }
    }

    /// The next slab in the free list, as a word; 0 for none.
    var next: UInt {
        get { (self.bytes - 8).load(as: UInt.self) }
        nonmutating set { (self.bytes - 8).storeBytes(of: newValue, as: UInt.self) }
    }

    /// Marks a free slab as in use.
    @inline(__always)
    func markInUse() {
        self.state = self.state & ~Self.markMask | Self.inUseMark
    }

    /// Marks a slab in use as free, and traps when it is not one.
    ///
    /// - Returns: its class.
    @inline(__always)
    func markFree() -> SlabClass {
        guard self.state & Self.markMask == Self.inUseMark,
            let slabClass = SlabClass(rawValue: self.state & ~Self.markMask)
        else {
            preconditionFailure("a slab was released twice, or is no slab of these pools")
        }
        self.state = Self.freeMark | slabClass.rawValue
        return slabClass
    }

    /// The class of a slab, free or in use.
    var slabClass: SlabClass {
        SlabClass(rawValue: self.state & ~Self.markMask) ?? .direct
    }
}

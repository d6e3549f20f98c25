/// What a network says of an author: whether they are who the address says.
public enum Vouching: Hashable, Sendable, CaseIterable {
    /// Nothing.
    case absent
    /// They are.
    case verified
    /// It does not know.
    case unverified
}

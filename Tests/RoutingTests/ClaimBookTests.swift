import Testing

@testable import Routing

@Suite("ClaimBook")
struct ClaimBookTests {
    private func domain(_ name: String, _ owner: Int) -> RouteTable.Claim { .init(.domain, name, owner: owner) }

    @Test("The first to claim has it, and may say so again")
    func conflict() {
        var book = ClaimBook()
        let answers = [domain("a", 1), domain("a", 1), domain("a", 2), domain("b", 2)].map { book.add($0) }
        #expect(answers == [.noted, .known, .taken(by: 1), .noted])
        #expect(book.claims == [domain("a", 1), domain("b", 2)])
    }

    @Test("What an instance that ends had claimed is free, and the rest stays")
    func drop() {
        var book = ClaimBook()
        for claim in [domain("a", 1), domain("b", 2), domain("c", 1)] { _ = book.add(claim) }
        book.retain([], of: 1)
        #expect(book.claims == [domain("b", 2)])
        let answers = [book.add(domain("a", 3)), book.add(domain("b", 3))]
        #expect(answers == [.noted, .taken(by: 2)])
    }

    @Test("Only a change makes a new version")
    func version() {
        var book = ClaimBook()
        var versions = [book.version]
        _ = book.add(domain("a", 1))
        versions.append(book.version)
        _ = book.add(domain("a", 1))
        _ = book.add(domain("a", 2))
        book.retain([], of: 7)
        versions.append(book.version)
        book.retain([], of: 1)
        versions.append(book.version)
        #expect(versions == [0, 1, 1, 2])
    }

    @Test("At the limit the next claim is refused, and known ones are still known")
    func limit() {
        var book = ClaimBook(claimsMax: 2)
        let answers = ["a", "b", "c", "a"].map { book.add(domain($0, 1)) }
        #expect(answers == [.noted, .noted, .full, .known])
        book.retain([], of: 1)
        let again = book.add(domain("c", 1))
        #expect(again == .noted)
    }
}

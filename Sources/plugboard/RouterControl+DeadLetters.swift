internal import ControlSocket
internal import Foundation
internal import Router

extension RouterControl {
    func deadLetters(_ query: DeadLetterQuery) throws(ControlFailure) -> [DeadLetterItem] {
        guard (1...DeadLetterQuery.limitMax).contains(query.limit) else {
            throw ControlFailure(
                .badRequest,
                "the limit must be from 1 to \(DeadLetterQuery.limitMax), not \(query.limit)"
            )
        }
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let filter = DeadLetterFilter(
            toDomain: query.toDomain?.lowercased(),
            diedBefore: query.olderThanMs.map { now - max(0, $0) + 1 }
        )
        do throws(DeadLetterError) {
            return try router.deadLetters(filter, after: query.after, limit: query.limit).map(DeadLetterItem.init)
        } catch {
            throw ControlFailure(error)
        }
    }

    func deadLetter(_ choice: DeadLetterChoice) throws(ControlFailure) -> DeadLetterItem {
        guard let id = choice.ids.first, choice.ids.count == 1 else {
            throw ControlFailure(.badRequest, "one id is needed, not \(choice.ids.count)")
        }
        let found: DeadLetterReport?
        do throws(DeadLetterError) {
            found = try router.deadLetter(id, withText: choice.withText)
        } catch {
            throw ControlFailure(error)
        }
        guard let found else { throw ControlFailure(.notFound, Self.unknown(id)) }
        return DeadLetterItem(found)
    }

    func retryDeadLetters(_ choice: DeadLetterChoice) async throws(ControlFailure) -> [DeadLetterChange] {
        try Self.check(choice)
        do throws(DeadLetterError) {
            return zip(choice.ids, try await router.retryDeadLetters(choice.ids)).map(Self.change)
        } catch {
            throw ControlFailure(error)
        }
    }

    func dropDeadLetters(_ choice: DeadLetterChoice) async throws(ControlFailure) -> [DeadLetterChange] {
        try Self.check(choice)
        do throws(DeadLetterError) {
            return zip(choice.ids, try await router.dropDeadLetters(choice.ids)).map(Self.change)
        } catch {
            throw ControlFailure(error)
        }
    }

    private static func check(_ choice: DeadLetterChoice) throws(ControlFailure) {
        guard (1...DeadLetterChoice.idsMax).contains(choice.ids.count) else {
            throw ControlFailure(.badRequest, "1 to \(DeadLetterChoice.idsMax) ids are needed, not \(choice.ids.count)")
        }
    }

    private static func unknown(_ id: Int64) -> String {
        "there is no dead letter \(id); 'plugboard dead-letters list' shows those that there are"
    }

    private static func change(_ id: Int64, _ result: DeadLetterResult) -> DeadLetterChange {
        switch result {
        case .retried(let sequence): DeadLetterChange(id: id, isDone: true, detail: "waits for delivery as \(sequence)")
        case .dropped: DeadLetterChange(id: id, isDone: true, detail: "is dropped")
        case .unknown: DeadLetterChange(id: id, isDone: false, detail: Self.unknown(id))
        case .noProvider(let name):
            DeadLetterChange(
                id: id,
                isDone: false,
                detail: "its provider '\(name)' is not in the configuration; add it, or drop the dead letter"
            )
        case .damaged:
            DeadLetterChange(
                id: id,
                isDone: false,
                detail: "it is not what was stored, and cannot be delivered; drop it"
            )
        case .duplicate:
            DeadLetterChange(
                id: id,
                isDone: false,
                detail: "the same message waits for delivery already; drop this one"
            )
        case .full:
            DeadLetterChange(id: id, isDone: false, detail: "as many messages wait as the spool takes; try again later")
        }
    }
}

extension ControlFailure {
    fileprivate init(_ error: DeadLetterError) {
        self.init(.internal, "\(error)")
    }
}

extension DeadLetterItem {
    fileprivate init(_ report: DeadLetterReport) {
        self.init(
            id: report.id,
            diedAt: report.diedAt,
            acceptedAt: report.acceptedAt,
            from: report.from,
            to: report.to,
            kind: report.kind,
            source: report.source,
            destination: report.destination,
            messageID: report.messageID,
            attempts: report.attempts,
            cause: report.cause,
            failureClass: report.failureClass,
            reason: report.reason,
            text: report.text
        )
    }
}

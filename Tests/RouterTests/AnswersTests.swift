import CPlugboard
import PluginHost
import Routing
import Testing

@testable import Router

@Suite("Answers to submits")
struct AnswersTests {
    private struct Told: Equatable {
        var cookie: UInt64
        var reason: String
        var code: String

        init(_ cookie: UInt64, _ refusal: Refusal? = nil) {
            self.cookie = cookie
            reason = refusal?.description ?? ""
            code = refusal?.code ?? ""
        }

        init(_ result: plugboard_submitted_t) {
            cookie = result.cookie
            reason = result.outcome.pointee.reason.string
            code = result.outcome.pointee.code.string
            let isRefused = result.outcome.pointee.result == PLUGBOARD_FAILED
            #expect(isRefused == !reason.isEmpty)
            #expect(isRefused || result.outcome.pointee.result == PLUGBOARD_ACCEPTED)
        }
    }

    @Test("All are told in order, the refused ones with their reasons, over the end of a batch, too")
    func order() {
        let answers = Answers()
        let count = UInt64(Answers.batchMax + 10)
        let refused: [UInt64: Refusal] = [
            0: .expired, 7: .spoolFull, UInt64(Answers.batchMax - 1): .tooLarge, UInt64(Answers.batchMax): .expired,
            count - 1: .neitherSideHome,
        ]
        for cookie in 0..<count { answers.append(cookie, refused[cookie], 1) }
        var told: [Told] = []
        var sizes: [Int] = []
        answers.tell(1) { results in
            sizes.append(results.count)
            told += results.map { Told($0) }
        }
        #expect(told == (0..<count).map { Told($0, refused[$0]) })
        #expect(sizes == [Answers.batchMax, 10])
        #expect(answers.isEmpty)
    }

    @Test("Told once, they are forgotten")
    func once() {
        let answers = Answers()
        answers.append(1, .expired, 1)
        answers.tell(1) { #expect($0.count == 1) }
        answers.append(2, nil, 1)
        var told: [Told] = []
        answers.tell(1) { told += $0.map { Told($0) } }
        #expect(told == [Told(2)])
    }

    @Test("Each instance is told its own, and the others' stay, in front of what comes meanwhile")
    func generations() {
        let answers = Answers()
        answers.append(1, nil, 1)
        #expect(answers.areAll(of: 1))
        answers.append(2, .expired, 2)
        answers.append(3, .spoolFull, 1)
        answers.append(4, nil, 2)
        #expect(!answers.areAll(of: 1) && !answers.areAll(of: 2))
        var told: [Told] = []
        answers.tell(1) { results in
            told += results.map { Told($0) }
            answers.append(5, nil, 2)
        }
        #expect(told == [Told(1), Told(3, .spoolFull)])
        #expect(answers.areAll(of: 2) && !answers.isEmpty)
        told = []
        answers.tell(2) { told += $0.map { Told($0) } }
        #expect(told == [Told(2, .expired), Told(4), Told(5)])
    }

    @Test("Those of an instance that is gone are forgotten")
    func gone() {
        let answers = Answers()
        for cookie: UInt64 in 1...4 { answers.append(cookie, cookie > 2 ? .expired : nil, UInt16(cookie % 2)) }
        answers.removeAll { $0 == 1 }
        var told: [Told] = []
        answers.tell(0) { told += $0.map { Told($0) } }
        #expect(told == [Told(2), Told(4, .expired)])
        #expect(answers.isEmpty)
    }
}

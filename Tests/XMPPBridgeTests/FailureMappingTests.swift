import IMModel
import Testing
import XMPPBridge
import XMPPWire

@Suite struct FailureMappingTests {
    @Test("Each condition of a stanza error stands for one class of failure")
    func conditions() {
        let classes: [StanzaError.Condition: FailureClass] = [
            .badRequest: .content, .conflict: .policy, .featureNotImplemented: .content, .forbidden: .policy,
            .gone: .recipient, .internalServerError: .transient, .itemNotFound: .recipient,
            .jidMalformed: .recipient, .notAcceptable: .policy, .notAllowed: .policy, .notAuthorized: .credentials,
            .policyViolation: .policy, .recipientUnavailable: .recipient, .redirect: .recipient,
            .registrationRequired: .policy, .remoteServerNotFound: .unavailable, .remoteServerTimeout: .transient,
            .resourceConstraint: .throttled, .serviceUnavailable: .recipient, .subscriptionRequired: .policy,
            .undefinedCondition: .unavailable, .unexpectedRequest: .protocolViolation,
        ]
        for condition in StanzaError.Condition.allCases {
            #expect(StanzaError(condition).failureClass == classes[condition], "\(condition)")
        }
    }

    @Test("An error without a known condition is judged by its type")
    func kinds() {
        let classes: [StanzaError.Kind: FailureClass] = [
            .auth: .policy, .cancel: .unavailable, .continue: .transient, .modify: .content, .wait: .transient,
        ]
        for kind in StanzaError.Kind.allCases {
            #expect(StanzaError(.undefinedCondition, kind: kind).failureClass == classes[kind], "\(kind)")
        }
    }

    @Test("Each class of failure becomes a condition that a partner reads as the same class")
    func classes() {
        for failureClass in FailureClass.allCases where failureClass != .internal {
            let error = StanzaError(failureClass, code: "", text: "")
            #expect(error.failureClass == failureClass, "\(failureClass) became \(error.condition)")
            #expect(error.text == nil)
        }
        #expect(StanzaError(.internal, code: "", text: "").condition == .internalServerError)
    }

    @Test("A code that is the name of a condition is passed on; any other is not")
    func codes() {
        #expect(StanzaError(.policy, code: "item-not-found", text: "why").condition == .itemNotFound)
        #expect(StanzaError(.policy, code: "item-not-found", text: "why").text == "why")
        #expect(StanzaError(.policy, code: "404", text: "why").condition == .policyViolation)
    }

    @Test("A refusal by policy asks nobody to change the stanza and try again")
    func policy() {
        #expect(StanzaError(.policy, code: "", text: "").kind == .cancel)
    }

    @Test("The sentence for people is the partner's, or names the condition")
    func sentences() {
        #expect(StanzaError(.gone, text: "moved away").sentence == "moved away")
        #expect(StanzaError(.gone).sentence == "the partner answered gone")
        #expect(StanzaError(.gone, text: "").sentence == "the partner answered gone")
    }
}

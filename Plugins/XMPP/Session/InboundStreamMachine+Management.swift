internal import XMPPWire

extension InboundStreamMachine {
    /// An element of stream management came (XEP-0198 §3–§5).
    mutating func managementReceived(_ element: StreamManagementElement, _ open: Open) -> [StreamAction] {
        var open = open
        switch (element, open.management) {
        case (.enable(let canResume), .offered):
            // The stream's id is random, new and known to the peer alone: it serves as the name of its counts as well.
            let id = canResume ? open.streamID : nil
            open.management = .enabled
            self.state = .open(open)
            let seconds = id == nil ? nil : UInt32(self.server.resumptionTime.components.seconds)
            return [
                .send(StreamManagementElement.enabled(id: id, resumableSeconds: seconds).element),
                .management(.enabled(id: id)),
            ]
        case (.resume(let id, let handled), .offered):
            open.management = .resuming(id: id)
            self.state = .open(open)
            return [.management(.resumptionAsked(id: id, handled: handled))]
        case (.request, .enabled): return [.management(.acknowledgementAsked)]
        case (.answer(let handled), .enabled): return [.management(.acknowledged(handled))]
        case (.enable, _), (.resume, _), (.request, _):
            return [.send(StreamManagementElement.failed(.unexpectedRequest, handled: nil).element)]
        case (.answer, _), (.enabled, _), (.resumed, _), (.failed, _):
            return self.refuse(StreamError(.unsupportedStanzaType))
        }
    }

    /// What came of `resumptionAsked`.
    ///
    /// - Parameter handled: how many stanzas of the earlier stream were handled; nil: it is not known here any more.
    package mutating func resumptionAnswered(_ handled: UInt32?) -> [StreamAction] {
        guard case .open(var open) = self.state, case .resuming(let id) = open.management else { return [] }
        open.management = handled == nil ? .offered : .enabled
        self.state = .open(open)
        guard let handled else {
            return [.send(StreamManagementElement.failed(.itemNotFound, handled: nil).element)]
        }
        return [.send(StreamManagementElement.resumed(previousID: id, handled: handled).element)]
    }

    /// The peer acknowledged what it was never sent (XEP-0198 §4).
    package mutating func managementBroken(_ error: StreamManagementError) -> [StreamAction] {
        self.refuse(StreamError(.undefinedCondition, text: error.description))
    }
}

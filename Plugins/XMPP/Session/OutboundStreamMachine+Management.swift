internal import XMPPWire

extension OutboundStreamMachine {
    /// After authentication: goes on with an earlier stream, has stanzas counted, or just begins.
    ///
    /// XEP-0198 §3 (partial: not behind dialback, after which no features come). XEP-0198 §5 (partial: `location` is not
    /// read).
    mutating func manage(_ features: StreamFeatures) -> [StreamAction] {
        // Its certificate was found good before ours was shown to it.
        self.isPeerProven = true
        guard features.streamManagement, self.partner.streamManagement, case .stanzas = self.purpose else {
            return self.establish(.external)
        }
        guard let resumption = self.resumption else { return self.enableManagement() }
        self.state = .resuming
        let resume = StreamManagementElement.resume(previousID: resumption.id, handled: resumption.handled)
        return [.send(resume.element)]
    }

    private mutating func enableManagement() -> [StreamAction] {
        self.state = .enabling
        return [.send(StreamManagementElement.enable(canResume: true).element)]
    }

    /// An element of stream management came.
    mutating func managementReceived(_ element: StreamManagementElement) -> [StreamAction] {
        switch (self.state, element) {
        case (.enabling, .enabled(let id, _)):
            self.isManaged = true
            return [.management(.enabled(id: id))] + self.establish(.external)
        case (.enabling, .failed): return self.establish(.external)
        case (.resuming, .resumed(let id, let handled)) where id == self.resumption?.id:
            self.isManaged = true
            self.resumption = nil
            return [.management(.resumed(handled: handled))] + self.establish(.external)
        case (.resuming, .failed(_, let handled)):
            self.resumption = nil
            return [.management(.notResumed(handled: handled))] + self.enableManagement()
        case (.established, .request) where self.isManaged: return [.management(.acknowledgementAsked)]
        case (.established, .answer(let handled)) where self.isManaged: return [.management(.acknowledged(handled))]
        default: return self.refuse(StreamError(.unsupportedStanzaType))
        }
    }

    /// The peer acknowledged what it was never sent (XEP-0198 §4).
    package mutating func managementBroken(_ error: StreamManagementError) -> [StreamAction] {
        self.refuse(StreamError(.undefinedCondition, text: error.description))
    }
}

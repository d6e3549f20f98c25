internal import CPlugboard
internal import PluginHost
internal import Routing
internal import Telemetry

/// Why a delivery did not succeed, copied out of what the plugin lent.
struct FailureReason {
    var failureClass: UInt16
    var text: String
    var code: String
    var isUncertain = false
    /// Not to be tried again before, in ms; 0: no wish.
    var retryAfterMs: UInt32 = 0

    /// The most bytes of a reason, and of a code, that are kept.
    static let textBytesMax = 1024

    init(failureClass: UInt16, text: String, code: String, isUncertain: Bool = false) {
        self.failureClass = failureClass
        self.text = text
        self.code = code
        self.isUncertain = isUncertain
    }

    init(_ outcome: plugboard_outcome_t) {
        failureClass = outcome.failure_class
        text = Self.text(outcome.reason)
        code = Self.text(outcome.code)
        isUncertain = outcome.flags & PLUGBOARD_OUTCOME_UNCERTAIN != 0
        retryAfterMs = outcome.retry_after_ms
    }

    init(_ refusal: Refusal) {
        failureClass = refusal.failureClass
        text = refusal.description
        code = refusal.code
    }

    /// For what is not stored, and waited for a provider that was removed or stopped.
    init(removed provider: String) {
        failureClass = PLUGBOARD_CLASS_UNAVAILABLE
        text = "the provider \(provider) does not run any more"
        code = "provider-stopped"
    }

    /// As much of a text as is kept, whole characters only.
    private static func text(_ bytes: plugboard_bytes_t) -> String {
        guard bytes.count > textBytesMax else { return bytes.string }
        var end = textBytesMax
        // Back to a byte that begins a character.
        while end > 0, bytes.bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return String(decoding: bytes.bytes[..<end], as: UTF8.self)
    }
}

extension FailureReason {
    /// What a log line says of it.
    var fields: [LogField: String] {
        var fields: [LogField: String] = [.reason: text, .failureClass: failureClass.failureClassName]
        if !code.isEmpty { fields[.code] = code }
        return fields
    }
}

extension Refusal {
    /// The class of failure that a plugin sees.
    var failureClass: UInt16 {
        switch self {
        case .noRoute: PLUGBOARD_CLASS_RECIPIENT
        case .foreignSender, .neitherSideHome, .loop, .hopLimit: PLUGBOARD_CLASS_POLICY
        case .expired: PLUGBOARD_CLASS_TRANSIENT
        case .spoolFull: PLUGBOARD_CLASS_THROTTLED
        case .spoolFailed: PLUGBOARD_CLASS_INTERNAL
        case .tooLarge: PLUGBOARD_CLASS_CONTENT
        case .policy, .partnerWatched: PLUGBOARD_CLASS_POLICY
        case .partnerTooFast, .tooManyPartners: PLUGBOARD_CLASS_THROTTLED
        }
    }
}

extension Refusal {
    /// When it is worth another attempt, in ms; 0: nothing is known.
    var retryAfterMs: UInt32 {
        if case .partnerTooFast(_, let wait) = self { UInt32(clamping: wait) } else { 0 }
    }
}

extension UInt16 {
    /// The name of a class of failures, for people.
    var failureClassName: String {
        switch self {
        case PLUGBOARD_CLASS_NONE: "none"
        case PLUGBOARD_CLASS_TRANSIENT: "transient"
        case PLUGBOARD_CLASS_THROTTLED: "throttled"
        case PLUGBOARD_CLASS_CREDENTIALS: "credentials"
        case PLUGBOARD_CLASS_RECIPIENT: "recipient"
        case PLUGBOARD_CLASS_CONTENT: "content"
        case PLUGBOARD_CLASS_POLICY: "policy"
        case PLUGBOARD_CLASS_PROTOCOL: "protocol"
        case PLUGBOARD_CLASS_UNAVAILABLE: "unavailable"
        case PLUGBOARD_CLASS_INTERNAL: "internal"
        default: "unknown"
        }
    }

    /// The name of an envelope's kind, for logs and people.
    var kindName: String {
        switch self {
        case PLUGBOARD_MESSAGE: "message"
        case PLUGBOARD_RECEIPT: "receipt"
        case PLUGBOARD_TYPING: "typing"
        case PLUGBOARD_PRESENCE: "presence"
        case PLUGBOARD_SUBSCRIPTION: "subscription"
        case PLUGBOARD_CONTACT: "contact"
        case PLUGBOARD_CALL: "call"
        case PLUGBOARD_FAILURE: "failure"
        default: "unknown"
        }
    }
}

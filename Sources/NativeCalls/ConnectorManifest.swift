/// How an ordinary library is used as a network: which of its functions does what, and what goes where.
package struct ConnectorManifest: Hashable, Sendable {
    /// The library's people are `NAME@domain`.
    package var domain: String
    /// Called once, before all else.
    package var initialise: NativeFunction?
    /// Called once an account, to log it in.
    package var open: NativeFunction?
    /// Called once an account after `open`, to hand over the callback.
    package var register: NativeFunction?
    /// Called for each message.
    package var deliver: NativeFunction
    /// Called again and again for each account, for a library that does not call by itself.
    package var poll: NativeFunction?
    /// How long after nothing was there it is called again.
    package var pollInterval = ConnectorManifest.pollIntervalUsual
    /// Called once an account at the end.
    package var close: NativeFunction?
    /// Called once, after all else.
    package var shutdown: NativeFunction?
    /// What the library calls when a message has come.
    package var callback: NativeCallback?

    package static let pollIntervalUsual = Duration.seconds(1)
    /// A shorter one would keep a processor busy; a longer one is most likely a mistake.
    package static let pollIntervals = Duration.milliseconds(10)...Duration.seconds(3600)

    package init(domain: String, deliver: NativeFunction) {
        self.domain = domain
        self.deliver = deliver
    }

    /// A function of the library that a manifest names.
    package enum Role: String, Hashable, Sendable, CaseIterable {
        case initialise
        case open
        case register
        case deliver
        case poll
        case close
        case shutdown
    }

    /// The functions that are there.
    package subscript(role: Role) -> NativeFunction? {
        switch role {
        case .initialise: initialise
        case .open: open
        case .register: register
        case .deliver: deliver
        case .poll: poll
        case .close: close
        case .shutdown: shutdown
        }
    }
}

/// A function of a library, and what it is given.
package struct NativeFunction: Hashable, Sendable {
    /// Its symbol.
    package var name: String
    package var signature: Signature
    /// One a parameter.
    package var arguments: [NativeArgument]
    /// Results that mean that it was done.
    package var succeeds: [ResultMatch]
    /// Results that mean "not now"; all others mean that it failed.
    package var retries: [ResultMatch]

    package init(
        name: String,
        signature: Signature,
        arguments: [NativeArgument],
        succeeds: [ResultMatch]? = nil,
        retries: [ResultMatch] = []
    ) {
        self.name = name
        self.signature = signature
        self.arguments = arguments
        self.succeeds = succeeds ?? ResultMatch.usual(for: signature.result)
        self.retries = retries
    }

    /// What a result means.
    package func meaning(of result: Int64) -> ResultMeaning {
        if succeeds.contains(where: { $0.matches(result) }) { return .success }
        return retries.contains { $0.matches(result) } ? .retry : .failure
    }
}

/// What a function's result means.
package enum ResultMeaning: Hashable, Sendable {
    case success
    case retry
    case failure
}

/// What a library calls back, and what its arguments are.
package struct NativeCallback: Hashable, Sendable {
    package var signature: Signature
    /// One a parameter.
    package var arguments: [CallbackArgument]
    /// What the library is answered each time.
    package var returns: Int64
    /// After what the library calls no more, so that the callback's memory can be given back.
    package var until: CallbackEnd

    package init(
        signature: Signature,
        arguments: [CallbackArgument],
        returns: Int64 = 0,
        until: CallbackEnd = .never
    ) {
        self.signature = signature
        self.arguments = arguments
        self.returns = returns
        self.until = until
    }
}

/// When a library promises to call back no more, and to be in no callback either.
package enum CallbackEnd: String, Hashable, Sendable, CaseIterable {
    /// Once `close` has returned for the account.
    case close
    /// Once `shutdown` has returned.
    case shutdown
    /// It promises nothing.
    case never
}

/// What a parameter of a function is given.
package enum NativeArgument: Hashable, Sendable {
    /// What `open` answered, or put into ``newHandle``.
    case handle
    /// Where `open` puts the handle.
    case newHandle
    /// The account's own callback.
    case callback
    /// The sender's name, before the `@`; or the whole address.
    case from, fromAddress
    /// The recipient's.
    case to, toAddress
    /// The message; and how many bytes it has.
    case text, textBytes
    /// The message's id.
    case id
    /// Where `poll` writes a message, each as text that ends with a zero.
    case fromBuffer, toBuffer, textBuffer, idBuffer
    /// How many bytes each of these has room for.
    case bufferBytes
    /// What the configuration gives the account under this name.
    case account(String)
    case integer(Int64)
    case truth(Bool)
    case null

    /// What each of the buffers that `poll` writes into has room for, in bytes; the last one is for the zero.
    package static let bufferBytesMax = 65_536

    /// Reads a word; nil if it is none.
    package init?(word: String) {
        switch word {
        case "handle": self = .handle
        case "new_handle": self = .newHandle
        case "callback": self = .callback
        case "from": self = .from
        case "from_address": self = .fromAddress
        case "to": self = .to
        case "to_address": self = .toAddress
        case "text": self = .text
        case "text_bytes": self = .textBytes
        case "id": self = .id
        case "from_buffer": self = .fromBuffer
        case "to_buffer": self = .toBuffer
        case "text_buffer": self = .textBuffer
        case "id_buffer": self = .idBuffer
        case "buffer_bytes": self = .bufferBytes
        case "true": self = .truth(true)
        case "false": self = .truth(false)
        case "null": self = .null
        default:
            if word.hasPrefix("account."), word.utf8.count > 8 {
                self = .account(String(word.dropFirst(8)))
            } else if let number = Int64(word), !word.hasPrefix("+") {
                self = .integer(number)
            } else {
                return nil
            }
        }
    }

    /// The words for messages.
    package static let words =
        "handle, new_handle, callback, from, from_address, to, to_address, text, text_bytes, id, from_buffer, to_buffer, "
        + "text_buffer, id_buffer, buffer_bytes, account.NAME, null, true, false or a whole number"

    /// Whether it can be given to a parameter of a type.
    package func fits(_ type: NativeType) -> Bool {
        switch self {
        case .handle: type == .pointer || type.isInteger
        case .newHandle, .callback, .fromBuffer, .toBuffer, .textBuffer, .idBuffer: type == .pointer
        case .bufferBytes: type.holds(Int64(NativeArgument.bufferBytesMax))
        case .from, .fromAddress, .to, .toAddress, .id, .null: type.isAddress
        case .text: type.isAddress
        case .textBytes: type.isInteger
        case .account: type.isAddress || type.isInteger
        case .integer(let value): type.isInteger ? type.holds(value) : type == .f32 || type == .f64
        case .truth: type == .bool
        }
    }

    /// Whether it has a value when a function is called.
    package func isKnown(in role: ConnectorManifest.Role) -> Bool {
        switch self {
        case .integer, .truth, .null: true
        case .handle: role == .register || role == .deliver || role == .poll || role == .close
        case .fromBuffer, .toBuffer, .textBuffer, .idBuffer, .bufferBytes: role == .poll
        case .newHandle: role == .open
        case .callback: role == .open || role == .register
        case .account: role != .initialise && role != .shutdown
        case .from, .fromAddress, .to, .toAddress, .text, .textBytes, .id: role == .deliver
        }
    }
}

/// What a parameter of a callback is.
package enum CallbackArgument: String, Hashable, Sendable, CaseIterable {
    /// The sender's name in the library's network.
    case from
    /// The name of the home user it is for, where one account serves several.
    case to
    case text
    /// How many bytes the text has; without it the text ends with a zero.
    case textBytes = "text_bytes"
    /// The network's id of the message.
    case id
    /// Not looked at.
    case ignored

    /// Whether a parameter of this type can be it.
    package func fits(_ type: NativeType) -> Bool {
        switch self {
        case .from, .to, .id: type == .string
        case .text: type.isAddress
        case .textBytes: type.isInteger
        case .ignored: true
        }
    }
}

/// Some results of a function: a number, or all of a kind.
///
/// Addresses and truth values count as numbers.
package enum ResultMatch: Hashable, Sendable {
    case value(Int64)
    case zero
    case nonzero
    case negative
    case positive

    /// Reads a number or a word; nil if it is neither.
    package init?(word: String) {
        switch word {
        case "zero", "null", "false": self = .zero
        case "nonzero", "true": self = .nonzero
        case "negative": self = .negative
        case "positive": self = .positive
        default:
            guard !word.hasPrefix("+"), let number = Int64(word) else { return nil }
            self = .value(number)
        }
    }

    package func matches(_ result: Int64) -> Bool {
        switch self {
        case .value(let value): result == value
        case .zero: result == 0
        case .nonzero: result != 0
        case .negative: result < 0
        case .positive: result > 0
        }
    }

    /// What C functions that are polled usually mean by it: there was something, for which they say how much, or true.
    package static func usualOfPoll(for result: NativeType) -> [ResultMatch] {
        switch result {
        case .void: []
        case .bool, .pointer, .string: [.nonzero]
        case .i8, .u8, .i16, .u16, .i32, .u32, .i64, .u64, .f32, .f64: [.positive]
        }
    }

    /// What C functions of this result usually mean by it: an address or true is good, of numbers zero.
    package static func usual(for result: NativeType) -> [ResultMatch] {
        switch result {
        case .void: [.zero]
        case .bool, .pointer, .string: [.nonzero]
        case .i8, .u8, .i16, .u16, .i32, .u32, .i64, .u64, .f32, .f64: [.zero]
        }
    }
}

extension NativeType {
    /// Whether a whole number has room in this type.
    package func holds(_ value: Int64) -> Bool {
        switch self {
        case .i8: Int8(exactly: value) != nil
        case .u8: UInt8(exactly: value) != nil
        case .i16: Int16(exactly: value) != nil
        case .u16: UInt16(exactly: value) != nil
        case .i32: Int32(exactly: value) != nil
        case .u32: UInt32(exactly: value) != nil
        case .i64: true
        case .u64: value >= 0
        case .void, .bool, .f32, .f64, .string, .pointer: false
        }
    }
}

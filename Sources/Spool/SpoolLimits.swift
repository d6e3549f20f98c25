/// How much the spool takes before it refuses or forgets.
package struct SpoolLimits: Hashable, Sendable {
    /// Largest payload, in bytes; past it the append is `.tooLarge`.
    package var payloadBytesMax = 1 << 20
    /// Longest id of a source network, in UTF-8 bytes; past it the append is `.tooLarge`.
    package var remoteIDBytesMax = 1024
    /// Longest destination, source and conversation, in UTF-8 bytes: two addresses of 3,071 bytes fit (RFC 7622 §3.1).
    package var keyBytesMax = 8192
    /// Longest reason that is kept, in UTF-8 bytes; the rest is cut off at a character.
    package var reasonBytesMax = 1024
    /// Messages that may wait at once, deferred ones included; past it an append is `.full`.
    package var pendingMax = 1_000_000
    /// Dead letters kept; past it the oldest is dropped and counted.
    package var deadLettersMax = 100_000
    /// How long a dead letter is kept, in milliseconds.
    package var deadLettersAgeMaxMs: Int64 = 30 * 24 * 60 * 60 * 1000
    /// Dead letters that one transaction drops for their age, so that a commit stays short.
    package var deadLettersPerCommitMax = 1000
    /// Messages remembered for recognising duplicates; past it the oldest is forgotten.
    package var seenMax = 1_000_000
    /// How long a message is remembered for recognising duplicates, in milliseconds.
    package var seenAgeMaxMs: Int64 = 7 * 24 * 60 * 60 * 1000
    /// Rows that one read returns at most, whatever limit it was asked for.
    package var rowsPerReadMax = 4096

    /// The limits of an ordinary installation.
    package init() {}
}

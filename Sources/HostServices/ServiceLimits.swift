/// The bounds on what one plugin instance may hold.
///
/// Reaching one throws ``ServiceError/limitReached(_:limit:)`` or closes the stream that passed it; nothing grows
/// without a bound.
package struct ServiceLimits: Hashable, Sendable {
    /// Streams, accepted and connected together.
    package var streamsMax = 16_384
    /// Listening sockets.
    package var listenersMax = 16
    /// Running timers.
    package var timersMax = 65_536
    /// The longest delay of a timer, in milliseconds: 30 days.
    package var timerDelayMsMax: UInt64 = 30 * 24 * 3600 * 1000
    /// DNS questions without an answer: so many of the instance's own, of its connects, and of its HTTP requests.
    package var resolutionsMax = 256
    /// Bytes written to a stream that the kernel has not taken yet; past it a write throws.
    package var writeBufferMax = 4 << 20
    /// Bytes written and not taken from which ``StreamService/write(_:_:)`` answers `.high`.
    ///
    /// The stream becomes writable again at half of it.
    package var writeHighWater = 256 << 10
    /// Unconsumed input of a stream, in bytes, unless the stream's options say otherwise.
    package var frameMax = 1 << 20
    /// Input held for a stream that does not read, in bytes: what the peer had sent when it closed is read up to here.
    package var heldInputMax = 16 << 20
    /// Connection attempt over all addresses, in milliseconds, unless the options say otherwise.
    package var connectTimeoutMs: UInt64 = 30_000
    /// TLS handshake, in milliseconds.
    package var handshakeTimeoutMs: UInt64 = 15_000
    /// How long ``StreamService/finish(_:)`` waits for the peer to take the rest, in milliseconds.
    package var finishTimeoutMs: UInt64 = 30_000
    /// How long a finished stream waits for the peer's own end, in milliseconds.
    package var lingerTimeoutMs: UInt64 = 2_000
    /// Addresses of one host that a connect tries.
    package var addressesTriedMax = 8

    /// HTTP requests that are not finished, those that wait for a connection included.
    package var httpRequestsMax = 256
    /// Connections to one origin, idle ones included; further requests wait for one.
    package var httpConnectionsPerOriginMax = 8
    /// Idle connections kept for one origin.
    package var httpIdleConnectionsPerOriginMax = 4
    /// How long an idle connection is kept, in milliseconds.
    package var httpIdleTimeoutMs: UInt64 = 20_000
    /// A whole HTTP exchange, in milliseconds, unless the request says otherwise.
    package var httpTimeoutMs: UInt64 = 30_000
    /// The longest time that a request may ask for, in milliseconds: an hour, for answers that are waited for.
    package var httpTimeoutMsMax: UInt64 = 3_600_000
    /// Header fields of a request, and of an answer.
    package var httpFieldsMax = 128
    /// Names and values of the header fields of a request, and of an answer, in bytes.
    package var httpHeadMax = 64 << 10
    /// Body of a request, in bytes.
    package var httpRequestBodyMax = 4 << 20
    /// Body of an answer that comes as a whole, in bytes.
    package var httpBodyMax = 4 << 20
    /// Body of an answer that comes piece by piece, in bytes.
    package var httpStreamMax = 1 << 30
    /// Redirects that a request may ask to be followed.
    package var httpRedirectsMax = 10

    /// Requests to the store that have no answer, and as many to the vault.
    package var storeRequestsMax = 256
    /// Bytes of keys and values in them.
    package var storeRequestBytesMax = 8 << 20

    /// Questions for passwords of linked accounts that have no answer.
    package var accountRequestsMax = 256

    /// Datagram sockets.
    package var udpSocketsMax = 64
    /// Datagrams that wait to be sent or told, for each socket and way; further ones are lost.
    package var udpQueueMax = 1024
    /// Bytes in them.
    package var udpQueueBytesMax = 1 << 20

    /// Metrics that an instance declares.
    package var metricsMax = 128
    /// Series of all of them together.
    package var metricSeriesMax = 4096
    /// Labels of a metric.
    package var metricLabelsMax = 8
    /// Bytes of a label's value.
    package var metricLabelBytesMax = 128
    /// Bytes of the sentence that says what a metric is.
    package var metricHelpBytesMax = 256
    /// Bounds of a histogram's buckets.
    package var metricBucketsMax = 32

    package init() {}
}

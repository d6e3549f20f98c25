internal import CPlugboard
public import ProviderKit

/// What a scripted web server does with one request.
public struct WebAnswer: Sendable {
    /// How the answer goes wrong.
    public enum Fault: Sendable, Hashable {
        /// Nothing comes, and the connection stays.
        case silence
        /// The connection breaks after so many bytes of body; before the head, if negative.
        case cut(afterBytes: Int)
        /// What comes is no HTTP.
        case garbage
    }

    /// From 100 to 599; what the host does not tell a plugin of, such as 100, is a broken answer.
    public var status: Int
    /// In the order in which they are sent.
    public var fields: [HTTPField]
    /// The body.
    public var body: [UInt8]
    /// What the server takes to begin with the answer.
    public var delay = Duration.zero
    /// The body comes in pieces of so many bytes; nil: as a whole.
    public var pieceBytes: Int?
    /// What passes between two pieces.
    public var pieceDelay = Duration.zero
    /// How it goes wrong, if it does.
    public var fault: Fault?

    /// An answer that comes at once and as a whole.
    public init(_ status: Int, _ body: String = "", fields: [HTTPField] = []) {
        self.status = status
        self.fields = fields
        self.body = Array(body.utf8)
    }

    /// The same with something changed.
    public func with(_ change: (inout WebAnswer) -> Void) -> WebAnswer {
        var copy = self
        change(&copy)
        return copy
    }

    /// No answer at all.
    public static var silence: WebAnswer { WebAnswer(200).with { $0.fault = .silence } }

    /// Whether the server has done what it was asked.
    var isSuccess: Bool { (200...299).contains(status) }
}

/// A scripted web server.
final class WebServer {
    /// Shown to those who ask by https; nil: it speaks plain HTTP.
    let certificate: SimulatedCertificate?
    let answer: (HTTPRequest) -> WebAnswer

    init(_ certificate: SimulatedCertificate?, _ answer: @escaping (HTTPRequest) -> WebAnswer) {
        self.certificate = certificate
        self.answer = answer
    }
}

extension SimulatedNetwork {
    /// Has a scripted web server listen; the name gets an address if it has none.
    ///
    /// A message whose ``Marker`` is in a request's body counts as arrived when the script answers 200 to 299, also if that
    /// answer is lost on its way.
    ///
    /// - Parameters:
    ///   - certificate: for https; nil: plain http.
    ///   - answer: is called once for each request that comes.
    public func serve(
        _ host: String,
        port: UInt16 = 80,
        certificate: SimulatedCertificate? = nil,
        answer: @escaping (HTTPRequest) -> WebAnswer
    ) {
        let address = addresses(of: host).first ?? name(host)
        webServers[SimulatedDatagram.Place(address: address, port: port)] = WebServer(certificate, answer)
    }

    /// Has a scripted web server answer no more: connections to it are refused.
    public func stopServing(_ host: String, port: UInt16 = 80) {
        for address in addresses(of: host) {
            webServers[SimulatedDatagram.Place(address: address, port: port)] = nil
        }
    }

    /// What comes of a connection to a web server.
    enum WebAttempt {
        case connected(WebServer)
        case failed(UInt32, String)
    }

    func webServer(_ origin: SimulatedURL.Origin) -> WebAttempt {
        let place = "\(origin.host):\(origin.port)"
        guard !brokenNames.contains(origin.host) else {
            return .failed(PLUGBOARD_HTTP_NAME_FAILED, "the name \(origin.host) cannot be looked up")
        }
        let addresses = addresses(of: origin.host)
        guard !addresses.isEmpty else { return .failed(PLUGBOARD_HTTP_NAME_FAILED, "there is no host \(origin.host)") }
        let found = addresses.lazy.compactMap {
            self.webServers[SimulatedDatagram.Place(address: $0, port: origin.port)]
        }
        guard !simulation.random.oneIn(conditions.refuseOneIn), let server = found.first else {
            return .failed(PLUGBOARD_HTTP_CONNECT_FAILED, "\(place) refuses connections")
        }
        guard origin.isSecure else {
            guard server.certificate == nil else {
                return .failed(PLUGBOARD_HTTP_CLOSED, "\(place) speaks TLS, and closed the connection")
            }
            return .connected(server)
        }
        guard let certificate = server.certificate else {
            return .failed(PLUGBOARD_HTTP_TLS, "\(place) does not speak TLS")
        }
        guard certificate.isTrusted, certificate.matches(origin.host, service: "") else {
            return .failed(PLUGBOARD_HTTP_TLS, "the certificate is not trusted, or not for \(origin.host)")
        }
        return .connected(server)
    }
}

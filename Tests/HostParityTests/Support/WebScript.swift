import ProviderKit
import ProviderTestKit

/// What the web server of every world answers, by the path.
///
/// What a real server has to add is in the answer, so that the simulated one says the same.
enum WebScript {
    static func answer(_ request: HTTPRequest) -> WebAnswer {
        let path = request.url.drop { $0 != ":" }.dropFirst(3).drop { $0 != "/" }
        switch path {
        case "/hello": return whole(200, "hello")
        case "/missing": return whole(404, "not here")
        case "/empty": return whole(204, "")
        case "/there": return whole(302, "over there", [HTTPField("Location", "hello")])
        case "/see-other": return whole(303, "", [HTTPField("Location", "/echo?x=1")])
        case "/keep-method": return whole(307, "", [HTTPField("Location", "/echo")])
        case "/loop": return whole(302, "", [HTTPField("Location", "/loop")])
        case "/nowhere": return whole(302, "", [HTTPField("Location", "ftp://127.0.0.1/")])
        case "/pieces": return whole(200, "abcdef").with { $0.pieceBytes = 2 }
        case "/silence": return .silence
        case "/cut": return whole(200, "hello").with { $0.fault = .cut(afterBytes: 3) }
        case "/cut-early": return whole(200, "hello").with { $0.fault = .cut(afterBytes: -1) }
        case "/garbage": return whole(200, "hello").with { $0.fault = .garbage }
        case "/odd": return whole(600, "odd")
        default:
            let fields = request.fields.map { "\($0.name): \($0.value)" }.joined(separator: ", ")
            return whole(200, "\(request.method) \(path) [\(fields)] \(String(decoding: request.body, as: UTF8.self))")
        }
    }

    private static func whole(_ status: Int, _ body: String, _ fields: [HTTPField] = []) -> WebAnswer {
        let length = status == 204 ? [] : [HTTPField("Content-Length", "\(body.utf8.count)")]
        return WebAnswer(status, body, fields: fields + length)
    }
}

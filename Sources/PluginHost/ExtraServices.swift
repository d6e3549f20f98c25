internal import CPlugboard
internal import HostServices
internal import Logging

/// The services behind the host's extensions, and the provider's tables that hear of their answers.
///
/// Worker's loop only.
final class ExtraServices {
    let http: HTTPService
    var httpEvents: plugboard_http_events_t?
    var httpUsers: [HTTPRequestHandle: UnsafeMutableRawPointer] = [:]

    init(_ services: Instance.Services, logger: Logger) {
        http = HTTPService(
            worker: services.worker,
            limits: services.limits,
            tls: services.tls,
            resolver: services.resolver,
            logger: logger
        )
    }

    /// Makes the instance hear of answers.
    func setDelegate(_ instance: Instance) {
        http.delegate = instance
    }

    /// Notes which answers the provider wants to hear of.
    func askForEvents(of provider: UnsafePointer<plugboard_provider_t>, _ pointer: UnsafeMutableRawPointer?) {
        httpEvents = HostExtensions.events(PLUGBOARD_EXT_HTTP, of: provider, pointer, as: plugboard_http_events_t.self)
    }

    /// Ends everything for good; no answer comes any more.
    func closeAll() {
        http.closeAll()
        httpUsers = [:]
    }
}

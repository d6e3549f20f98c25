internal import CPlugboard
internal import HostServices
internal import Logging
internal import Vault

/// The services behind the host's extensions, and the provider's tables that hear of their answers.
///
/// Worker's loop only.
final class ExtraServices {
    let http: HTTPService
    var httpEvents: plugboard_http_events_t?
    var httpUsers: [HTTPRequestHandle: UnsafeMutableRawPointer] = [:]
    let metrics: MetricsService
    let udp: UDPService
    var udpEvents: plugboard_udp_events_t?
    var udpUsers: [UDPSocketHandle: UnsafeMutableRawPointer] = [:]
    let store: PluginStore
    let secrets: PluginStore
    let accounts: PluginAccounts

    init(_ services: Instance.Services, space: String, logger: Logger) {
        func store(_ backend: (any KeyValueBackend)?) -> PluginStore {
            PluginStore(
                StoreService(worker: services.worker, limits: services.limits, backend: backend, space: space)
            )
        }
        self.store = store(services.store)
        self.secrets = store(services.vault)
        accounts = PluginAccounts(
            AccountService(
                worker: services.worker,
                limits: services.limits,
                source: services.accounts,
                instance: space
            )
        )
        metrics = MetricsService(
            limits: services.limits,
            registry: services.metrics,
            instance: space
        )
        udp = UDPService(worker: services.worker, limits: services.limits, logger: logger)
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
        udp.delegate = instance
        store.service.delegate = instance
        secrets.service.delegate = instance
        accounts.service.delegate = instance
    }

    /// Notes which answers the provider wants to hear of.
    func askForEvents(of provider: UnsafePointer<plugboard_provider_t>, _ pointer: UnsafeMutableRawPointer?) {
        httpEvents = HostExtensions.events(PLUGBOARD_EXT_HTTP, of: provider, pointer, as: plugboard_http_events_t.self)
        udpEvents = HostExtensions.events(PLUGBOARD_EXT_UDP, of: provider, pointer, as: plugboard_udp_events_t.self)
        typealias AccountEvents = plugboard_accounts_events_t
        accounts.events = HostExtensions.events(PLUGBOARD_EXT_ACCOUNTS, of: provider, pointer, as: AccountEvents.self)
        typealias StoreEvents = plugboard_store_events_t
        store.events = HostExtensions.events(PLUGBOARD_EXT_STORE, of: provider, pointer, as: StoreEvents.self)
        secrets.events = HostExtensions.events(PLUGBOARD_EXT_SECRETS, of: provider, pointer, as: StoreEvents.self)
    }

    /// Ends everything for good; no answer comes any more.
    func closeAll() {
        http.closeAll()
        udp.closeAll()
        metrics.closeAll()
        store.closeAll()
        secrets.closeAll()
        accounts.closeAll()
        httpUsers = [:]
        udpUsers = [:]
    }
}

extension Instance {
    /// Open streams.
    package var streamCount: Int { openStreams.count }
}

internal import Logging

/// Puts what the routers log into the journey, so that it stands between the events that it belongs to.
struct JourneyLog: LogHandler {
    let router: String
    let journey: Journey
    var logLevel = Logger.Level.warning
    var metadata = Logger.Metadata()

    func log(event: LogEvent) {
        let own = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let details = own.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        journey.logged("\(event.level): \(event.message)" + (details.isEmpty ? "" : " (\(details))"), by: router)
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }
}

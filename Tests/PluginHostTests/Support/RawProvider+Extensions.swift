import CPlugboard

/// A provider's table of one extension's answers, which notes what it hears.
protocol RawEvents {
    associatedtype Table
    static var id: String { get }
    static var table: Table { get }
}

extension RawProvider {
    /// Offers the host a table of answers.
    func events<Events: RawEvents>(_ type: Events.Type) {
        extensions[Events.id] = put(Events.table)
    }

    /// Calls a table of one of the host's extensions.
    func withExtension<Table, R>(
        _ id: String,
        as type: Table.Type,
        _ body: (Table, UnsafeMutableRawPointer?) -> R
    ) -> R {
        call { host, context in
            guard let found = host.extension(context, id) else { preconditionFailure("the host has \(id)") }
            return body(found.load(as: Table.self), context)
        }
    }
}

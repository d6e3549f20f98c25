/// Why an order was not carried out.
enum LoadError: Error, Hashable, CustomStringConvertible {
    /// A line that is no order.
    case unknownOrder(String)
    /// The order before it is not done.
    case busy

    var description: String {
        switch self {
        case .unknownOrder(let line):
            "'\(line)' is no order: write 'throughput COUNT WINDOW', 'rate COUNT PER-SECOND' or 'report'"
        case .busy: "the order before this one is not done"
        }
    }
}

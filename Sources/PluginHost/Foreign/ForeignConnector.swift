package import NativeCalls

/// A library as its manifest describes it: each function found and ready to be called.
///
/// That a function really has the signature that the manifest says, nobody can check.
package final class ForeignConnector: Sendable {
    package let library: ForeignLibrary
    package let manifest: ConnectorManifest
    private let functions: [ConnectorManifest.Role: ForeignFunction]
    let callback: CallInterface?

    /// Finds the functions.
    ///
    /// - Throws: ``ForeignError``.
    package init(_ library: ForeignLibrary, _ manifest: ConnectorManifest) throws(ForeignError) {
        var functions: [ConnectorManifest.Role: ForeignFunction] = [:]
        for role in ConnectorManifest.Role.allCases {
            guard let function = manifest[role] else { continue }
            guard let address = library.function(named: function.name) else {
                throw .missingFunction(role, name: function.name, path: library.path)
            }
            guard let interface = CallInterface(function.signature) else { throw .notCallable(name: function.name) }
            functions[role] = ForeignFunction(address: address, interface: interface, form: function)
        }
        if let form = manifest.callback {
            guard let interface = CallInterface(form.signature) else { throw .notCallable(name: "callback") }
            callback = interface
        } else {
            callback = nil
        }
        self.library = library
        self.manifest = manifest
        self.functions = functions
    }

    /// C functions that were made for callbacks in this process and are not freed.
    package static var liveClosures: Int { ForeignClosure.liveCount }

    subscript(role: ConnectorManifest.Role) -> ForeignFunction? { functions[role] }
}

/// A function of a foreign library.
///
/// Safe to share: the address is one of code that is never unloaded.
struct ForeignFunction: @unchecked Sendable {
    let address: UnsafeRawPointer
    let interface: CallInterface
    let form: NativeFunction
}

/// What can go wrong with a foreign library.
package enum ForeignError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The library does not export what the manifest names.
    case missingFunction(ConnectorManifest.Role, name: String, path: String)
    /// libffi cannot call such a function.
    case notCallable(name: String)
    /// There is no memory for the code of a callback.
    case noClosure
    /// A function said that it failed.
    case refused(name: String, result: Int64)
    /// `open` said that it did well, and gave no handle.
    case noHandle(name: String)
    /// An account has something else where a whole number is needed.
    case badNumber(account: String, type: NativeType)
    /// The text has a zero, which would end it in C.
    case zeroInText

    package var description: String {
        switch self {
        case .missingFunction(let role, let name, let path):
            "\(path) exports no function '\(name)', which \(role.rawValue) names: check its spelling, and with nm -D what is "
                + "there"
        case .notCallable(let name): "\(name) has a signature that cannot be called on this machine"
        case .noClosure: "the system has no memory for the code of a callback"
        case .refused(let name, let result): "\(name) answered \(result)"
        case .noHandle(let name): "\(name) gave no handle"
        case .badNumber(let name, let type):
            "the account's '\(name)' must be a whole number that fits \(type.rawValue)"
        case .zeroInText: "the text holds a zero, which this network cannot carry"
        }
    }
}

internal import Glibc

/// Where a secret is kept: `env:NAME` or `file:PATH`.
///
/// The secret itself never stands in the configuration.
package enum SecretReference: Hashable, Sendable, CustomStringConvertible {
    /// An environment variable of the router's process.
    case environment(name: String)
    /// A file, by absolute path.
    case file(path: String)

    /// Largest secret, in bytes.
    package static let secretSizeMax = 64 * 1024

    /// Reads a reference.
    ///
    /// - Parameter directory: the absolute directory that relative paths start from.
    /// - Returns: `nil` when `text` is no reference; it may then be the secret, so it must not be shown.
    package init?(parsing text: String, in directory: String) {
        if text.hasPrefix("env:") {
            let name = text.dropFirst(4)
            guard let first = name.first, first.isLetter || first == "_" else { return nil }
            guard name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }) else { return nil }
            self = .environment(name: String(name))
        } else if text.hasPrefix("file:") {
            let path = text.dropFirst(5)
            guard !path.isEmpty, !path.contains("\0") else { return nil }
            self = .file(path: FileReading.absolute(String(path), in: directory))
        } else {
            return nil
        }
    }

    /// The reference as it is written in a configuration; it holds no secret.
    package var description: String {
        switch self {
        case .environment(let name): "env:\(name)"
        case .file(let path): "file:\(path)"
        }
    }

    /// Fetches the secret.
    ///
    /// Blocks while a file is read. A newline at the end of a file is not part of it.
    package func resolve() throws(SecretError) -> Secret {
        switch self {
        case .environment(let name):
            guard let value = getenv(name) else { throw .notSet(name: name) }
            let length = strlen(value)
            guard length <= Self.secretSizeMax else { throw .tooLarge(self) }
            guard let text = String(validatingCString: value) else { throw .notText(self) }
            return try self.secret(text)
        case .file(let path):
            let text: String
            do {
                text = try FileReading.text(of: path, limit: Self.secretSizeMax)
            } catch {
                switch error {
                case .tooLarge: throw .tooLarge(self)
                case .notUTF8: throw .notText(self)
                case .system, .notAFile: throw .unreadable(error)
                }
            }
            return try self.secret(text.last?.isNewline == true ? String(text.dropLast()) : text)
        }
    }

    private func secret(_ text: String) throws(SecretError) -> Secret {
        guard !text.isEmpty else { throw .empty(self) }
        return Secret(text)
    }
}

/// A secret that was fetched.
///
/// Printing it in any way gives a placeholder; only ``text`` gives it away.
package struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The secret itself.
    ///
    /// Keep it out of logs, errors and descriptions.
    package let text: String

    package init(_ text: String) {
        self.text = text
    }

    package var description: String { "(secret)" }
    package var debugDescription: String { "(secret)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Why a secret could not be fetched; never holds any of it.
package enum SecretError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The environment variable does not exist.
    case notSet(name: String)
    case empty(SecretReference)
    case tooLarge(SecretReference)
    /// Not UTF-8.
    case notText(SecretReference)
    case unreadable(FileError)

    package var description: String {
        switch self {
        case .notSet(let name):
            "the environment variable \(name) is not set; set it for the router's process"
        case .empty(let reference):
            "the secret \(reference) is empty"
        case .tooLarge(let reference):
            "the secret \(reference) is larger than \(SizeText.format(Int64(SecretReference.secretSizeMax)))"
        case .notText(let reference):
            "the secret \(reference) is not UTF-8 text"
        case .unreadable(let error):
            "\(error)"
        }
    }
}

internal import Dispatch
package import Vault

/// The whole directory: contact lists, the home users' presence, linked accounts, in one file of the state folder.
///
/// Any thread.
package final class HomeDirectory: Sendable {
    package let contacts: ContactStore
    package let presence: HomePresenceStore
    package let accounts: LinkedAccounts
    private let file: DirectoryFile
    private let working = DispatchQueue(label: "directory")

    /// Opens the file, or makes an empty one.
    ///
    /// - Parameter vault: where passwords are kept; nil: nothing can be linked.
    package init(path: String, vault: SecretVault?, limits: ContactLimits = ContactLimits()) throws(DirectoryError) {
        file = try DirectoryFile(path: path)
        contacts = try ContactStore(file, limits: limits)
        presence = HomePresenceStore(file)
        accounts = LinkedAccounts(file, vault: vault)
    }

    /// Does something that waits for the disk, on a thread of the directory's, in the order in which it was asked for.
    package func perform(_ work: @escaping @Sendable () -> Void) { working.async(execute: work) }

    /// Does what was asked for, and closes the file; what is asked for later fails.
    package func close() {
        working.sync {}
        file.close()
    }
}

internal import Directory
internal import HostServices
internal import IMModel

/// The directory's linked accounts, for the instances of plugins.
///
/// An instance sees the accounts that are linked under its name in the configuration, and no others.
struct DirectoryAccounts: AccountSource {
    let directory: HomeDirectory

    func follow(_ instance: String, _ told: @escaping @Sendable (AccountNews) -> Bool) {
        directory.perform { [directory] in
            do throws(DirectoryError) {
                try directory.accounts.follow(instance) { told(AccountNews($0)) }
            } catch {
                _ = told(.failed("\(error)"))
            }
        }
    }

    func password(
        of account: AccountRecord,
        at instance: String,
        then: @escaping @Sendable (Result<[UInt8], AccountError>) -> Void
    ) {
        directory.perform { [directory] in
            guard let user = Address(account.user) else { return then(.failure(.notLinked)) }
            let linked = LinkedAccount(user: user, provider: instance, account: account.name, linked: 0)
            do throws(DirectoryError) {
                then(.success(try directory.accounts.password(of: linked)))
            } catch {
                switch error {
                case .noAccount: then(.failure(.notLinked))
                default: then(.failure(.failed("\(error)")))
                }
            }
        }
    }
}

extension AccountNews {
    fileprivate init(_ news: LinkedAccounts.News) {
        switch news {
        case .list(let accounts): self = .list(accounts.map(AccountRecord.init))
        case .linked(let account): self = .linked(AccountRecord(account))
        case .changed(let account): self = .changed(AccountRecord(account))
        case .unlinked(let account): self = .unlinked(AccountRecord(account))
        }
    }
}

extension AccountRecord {
    fileprivate init(_ account: LinkedAccount) {
        self.init(user: account.user.description, name: account.account)
    }
}

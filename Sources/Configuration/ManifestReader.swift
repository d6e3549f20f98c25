internal import NativeCalls

/// Reads a connector's manifest, and says what cannot work in it.
struct ManifestReader {
    private let node: SettingNode
    private let path: SettingPath
    var context: SectionContext
    private var functions: [ConnectorManifest.Role: NativeFunction] = [:]
    private(set) var positions: [ConnectorManifest.Role: SourcePosition] = [:]

    init(_ node: SettingNode, _ path: SettingPath, _ context: SectionContext) {
        self.node = node
        self.path = path
        self.context = context
    }

    private mutating func error(_ sentence: String, _ node: SettingNode, _ path: SettingPath, _ advice: String? = nil) {
        context.problems.error("\(path) \(sentence)", at: node.position, path: path, suggestion: advice)
    }

    /// The manifest; nil if a part of it is missing or wrong.
    mutating func manifest() -> ConnectorManifest? {
        for role in ConnectorManifest.Role.allCases {
            guard let node = node[role.rawValue], !node.isNull else { continue }
            functions[role] = function(node, role)
        }
        let callback = callback()
        guard let domain = domain(), let deliver = functions[.deliver] else { return nil }
        var manifest = ConnectorManifest(domain: domain, deliver: deliver)
        manifest.initialise = functions[.initialise]
        manifest.open = functions[.open]
        manifest.register = functions[.register]
        manifest.close = functions[.close]
        manifest.shutdown = functions[.shutdown]
        manifest.poll = functions[.poll]
        if let interval = (node["poll"]?["interval"]?.text).flatMap(DurationText.parse) {
            manifest.pollInterval = interval
        }
        manifest.callback = callback
        checkWhole(manifest)
        return manifest
    }

    private mutating func domain() -> String? {
        guard let node = node["domain"], let text = node.text else { return nil }
        guard NetworkNames.isDomain(text) else {
            error("must be a domain name, not \(Shown.quoted(text))", node, path.appending(key: "domain"))
            return nil
        }
        return text.lowercased()
    }

    // MARK: Functions

    private mutating func function(_ node: SettingNode, _ role: ConnectorManifest.Role) -> NativeFunction? {
        let path = path.appending(key: role.rawValue)
        guard let nameNode = node["function"], let name = nameNode.text else { return nil }
        positions[role] = nameNode.position
        guard Self.isSymbol(name) else {
            error(
                "must be the name of a C function, not \(Shown.quoted(name))",
                nameNode,
                path.appending(key: "function")
            )
            return nil
        }
        guard let signature = signature(node, path) else { return nil }
        let words = words(node, "arguments", path)
        guard hasOneEach(words.count, signature, node, path) else { return nil }
        var arguments: [NativeArgument] = []
        for (index, (word, type)) in zip(words, signature.parameters).enumerated() {
            guard let argument = argument(word, type, role, path.appending(key: "arguments").appending(index: index))
            else { return nil }
            arguments.append(argument)
        }
        let usual = role == .poll ? ResultMatch.usualOfPoll(for: signature.result) : nil
        return NativeFunction(
            name: name,
            signature: signature,
            arguments: arguments,
            succeeds: node["succeeds"] == nil ? usual : matches(node, "succeeds", path),
            retries: role == .poll && node["retries"] == nil ? [.zero] : matches(node, "retries", path)
        )
    }

    private mutating func argument(
        _ node: SettingNode,
        _ type: NativeType,
        _ role: ConnectorManifest.Role,
        _ path: SettingPath
    ) -> NativeArgument? {
        // YAML's null is the null pointer.
        let word = node.isNull ? "null" : node.text ?? ""
        guard let argument = NativeArgument(word: word) else {
            error("must be \(NativeArgument.words), not \(Shown.quoted(word))", node, path)
            return nil
        }
        guard argument.isKnown(in: role) else {
            error("'\(word)' has no value when \(role.rawValue) is called", node, path, Self.place(of: argument))
            return nil
        }
        guard argument.fits(type) else {
            error("'\(word)' cannot be given to a parameter of the type \(type.rawValue)", node, path)
            return nil
        }
        return argument
    }

    private static func place(of argument: NativeArgument) -> String? {
        switch argument {
        case .handle: "the handle is known to register, deliver, poll and close"
        case .fromBuffer, .toBuffer, .textBuffer, .idBuffer, .bufferBytes: "only poll writes into buffers"
        case .newHandle: "only open makes a handle"
        case .callback: "open or register take the callback"
        case .account: "initialise and shutdown belong to no account"
        case .from, .fromAddress, .to, .toAddress, .text, .textBytes, .id: "only deliver has a message"
        case .integer, .truth, .null: nil
        }
    }

    private mutating func matches(_ node: SettingNode, _ key: String, _ path: SettingPath) -> [ResultMatch] {
        let own = path.appending(key: key)
        return words(node, key, path).enumerated().compactMap { index, word in
            if word.isNull { return .zero }
            if let match = ResultMatch(word: word.text ?? "") { return match }
            error(
                "must be a number, zero, nonzero, negative or positive, not \(Shown.quoted(word.text ?? ""))",
                word,
                own.appending(index: index)
            )
            return nil
        }
    }

    // MARK: The callback

    private mutating func callback() -> NativeCallback? {
        guard let node = node["callback"], !node.isNull else { return nil }
        let path = path.appending(key: "callback")
        guard let signature = signature(node, path) else { return nil }
        let words = words(node, "arguments", path)
        guard hasOneEach(words.count, signature, node, path) else { return nil }
        var arguments: [CallbackArgument] = []
        for (index, (word, type)) in zip(words, signature.parameters).enumerated() {
            let own = path.appending(key: "arguments").appending(index: index)
            guard let argument = CallbackArgument(rawValue: word.text ?? "") else {
                let all = CallbackArgument.allCases.map(\.rawValue).joined(separator: ", ")
                error("must be one of \(all), not \(Shown.quoted(word.text ?? "null"))", word, own)
                return nil
            }
            guard argument.fits(type) else {
                error("'\(argument.rawValue)' cannot be a parameter of the type \(type.rawValue)", word, own)
                return nil
            }
            guard argument == .ignored || !arguments.contains(argument) else {
                error("'\(argument.rawValue)' is there twice", word, own)
                return nil
            }
            arguments.append(argument)
        }
        for needed in [CallbackArgument.from, .text] where !arguments.contains(needed) {
            error("must have '\(needed.rawValue)' among its arguments", node, path)
        }
        let place = arguments.firstIndex(of: .text)
        if let place, signature.parameters[place] == .pointer, !arguments.contains(.textBytes) {
            error(
                "has a text that is a pointer",
                node,
                path,
                "add text_bytes, or make it a string if it ends with a zero"
            )
        }
        let returns = node["returns"]?.text.flatMap { Int64($0) } ?? 0
        let until = node["until"]?.text.flatMap { CallbackEnd(rawValue: $0) } ?? .never
        return NativeCallback(signature: signature, arguments: arguments, returns: returns, until: until)
    }

    // MARK: Parts

    private mutating func signature(_ node: SettingNode, _ path: SettingPath) -> Signature? {
        guard let node = node["signature"], let text = node.text else { return nil }
        do throws(SignatureError) {
            return try Signature(parsing: text)
        } catch {
            let advice = "such as 'i32(pointer,string)'"
            self.error("\(Shown.quoted(text)) is no signature \(error)", node, path.appending(key: "signature"), advice)
            return nil
        }
    }

    private func words(_ node: SettingNode, _ key: String, _ path: SettingPath) -> [SettingNode] {
        node[key]?.elements ?? []
    }

    private mutating func hasOneEach(
        _ count: Int,
        _ signature: Signature,
        _ node: SettingNode,
        _ path: SettingPath
    ) -> Bool {
        let parameters = signature.parameters.count
        guard count != parameters else { return true }
        let place = node["arguments"] ?? node
        error("has \(count) arguments, its signature takes \(parameters)", place, path, "name one for each parameter")
        return false
    }

    private static func isSymbol(_ text: String) -> Bool {
        guard let first = text.first, first.isASCII, first.isLetter || first == "_", text.utf8.count <= 255 else {
            return false
        }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }

    // MARK: The whole

    private mutating func checkWhole(_ manifest: ConnectorManifest) {
        func uses(_ argument: NativeArgument) -> ConnectorManifest.Role? {
            ConnectorManifest.Role.allCases.first { manifest[$0]?.arguments.contains(argument) == true }
        }
        if let role = uses(.callback), manifest.callback == nil, node["callback"] == nil {
            let path = path.appending(key: role.rawValue)
            error("hands over a callback", node[role.rawValue] ?? node, path, "say what it is under 'callback'")
        }
        if manifest.callback != nil, uses(.callback) == nil {
            let advice = "give 'callback' to a parameter of open or register"
            error("is handed to nobody", node["callback"] ?? node, path.appending(key: "callback"), advice)
        }
        if let role = uses(.handle), !makesHandle(manifest.open) {
            let path = path.appending(key: role.rawValue)
            let advice = "let open answer it, or take 'new_handle'"
            error("needs a handle, and open makes none", node[role.rawValue] ?? node, path, advice)
        }
        if let poll = manifest.poll { check(poll, hasCallback: manifest.callback != nil) }
        if let until = manifest.callback?.until, until != .never, node[until.rawValue] == nil {
            let path = path.appending(key: "callback").appending(key: "until")
            error("is \(until.rawValue), and there is no such function", node["callback"]?["until"] ?? node, path)
        }
        let deliver = manifest.deliver.arguments
        let place = path.appending(key: "deliver")
        if !deliver.contains(.text) {
            error("must have 'text' among its arguments", node["deliver"] ?? node, place)
        }
        if !deliver.contains(.to), !deliver.contains(.toAddress) {
            error("must have 'to' or 'to_address' among its arguments", node["deliver"] ?? node, place)
        }
    }

    /// A function that is polled writes a message, or lets the library call back.
    private mutating func check(_ poll: NativeFunction, hasCallback: Bool) {
        let place = path.appending(key: "poll")
        let buffers: [NativeArgument] = [.fromBuffer, .textBuffer]
        guard poll.arguments.contains(where: { buffers.contains($0) || $0 == .toBuffer || $0 == .idBuffer }) else {
            guard !hasCallback, node["callback"] == nil else { return }
            let advice = "give it 'from_buffer' and 'text_buffer', or name a callback"
            error("brings no message", node["poll"] ?? node, place, advice)
            return
        }
        for (word, buffer) in [("from_buffer", NativeArgument.fromBuffer), ("text_buffer", .textBuffer)]
        where !poll.arguments.contains(buffer) {
            error("must have '\(word)' among its arguments", node["poll"] ?? node, place)
        }
        if !poll.arguments.contains(.bufferBytes) {
            let advice = "add buffer_bytes; a function that is not told may write behind the end"
            error("is not told how many bytes the buffers have", node["poll"] ?? node, place, advice)
        }
    }

    private func makesHandle(_ open: NativeFunction?) -> Bool {
        guard let open else { return false }
        return open.arguments.contains(.newHandle) || open.signature.result == .pointer
            || open.signature.result.isInteger
    }

    // MARK: Accounts

    mutating func accounts() -> [ConnectorSection.Account] {
        guard let list = node["accounts"] else { return [] }
        let path = path.appending(key: "accounts")
        guard (1...ConnectorSection.accountsMax).contains(list.elements.count) else {
            if case .list = list.value {
                error("must have 1 to \(ConnectorSection.accountsMax) accounts, not \(list.elements.count)", list, path)
            }
            return []
        }
        var accounts: [ConnectorSection.Account] = []
        for (index, element) in list.elements.enumerated() {
            let account = account(element, path.appending(index: index))
            if let first = accounts.firstIndex(where: { $0.user == account.user }) {
                let whose = account.user.map { "'\($0)'" } ?? "all users"
                error("is for \(whose), as \(path.appending(index: first)) is", element, path.appending(index: index))
            }
            accounts.append(account)
        }
        checkValues(accounts)
        return accounts
    }

    private mutating func account(_ node: SettingNode, _ path: SettingPath) -> ConnectorSection.Account {
        var values: [String: ConnectorSection.Value] = [:]
        for member in node["settings"]?.members ?? [] {
            values[member.key] = .text(member.node.text ?? "")
        }
        for member in node["secrets"]?.members ?? [] {
            guard let text = member.node.text,
                let reference = SecretReference(parsing: text, in: context.directory)
            else { continue }
            values[member.key] = .secret(reference)
        }
        let user = node["user"]?.text
        if let user, let place = node["user"] {
            let parts = user.split(separator: "@", omittingEmptySubsequences: false)
            if parts.count != 2 || parts.contains("") {
                error("must be user@domain, not \(Shown.quoted(user))", place, path.appending(key: "user"))
            }
        } else if self.node["callback"] != nil,
            self.node["callback"]?["arguments"]?.elements.contains(where: { $0.text == "to" }) != true
        {
            let advice = "name its user, or bind 'to' in the callback"
            error("is for all users, and the callback does not say whom a message is for", node, path, advice)
        } else if let poll = functions[.poll], poll.arguments.contains(.textBuffer), !poll.arguments.contains(.toBuffer)
        {
            let advice = "name its user, or give poll 'to_buffer'"
            error("is for all users, and poll does not say whom a message is for", node, path, advice)
        }
        return ConnectorSection.Account(user: user?.lowercased(), values: values, position: node.position)
    }

    /// Whether each account has what the functions take of it, and numbers where those are taken.
    private mutating func checkValues(_ accounts: [ConnectorSection.Account]) {
        for role in ConnectorManifest.Role.allCases {
            guard let function = functions[role] else { continue }
            for (argument, type) in zip(function.arguments, function.signature.parameters) {
                guard case .account(let name) = argument else { continue }
                for (index, account) in accounts.enumerated() {
                    let own = path.appending(key: "accounts").appending(index: index)
                    checkValue(account, name, type, role, own)
                }
            }
        }
    }

    private mutating func checkValue(
        _ account: ConnectorSection.Account,
        _ name: String,
        _ type: NativeType,
        _ role: ConnectorManifest.Role,
        _ path: SettingPath
    ) {
        switch account.values[name] {
        case nil:
            context.problems.error(
                "\(path) lacks '\(name)', which \(role.rawValue) is given",
                at: account.position,
                path: path,
                suggestion: "write it under settings or secrets"
            )
        case .text(let text) where type.isInteger && Int64(text).map(type.holds) != true:
            context.problems.error(
                "\(path) has \(Shown.quoted(text)) as '\(name)', of which \(role.rawValue) needs a whole number",
                at: account.position,
                path: path,
                suggestion: "it must fit \(type.rawValue)"
            )
        case .text, .secret:
            break
        }
    }
}

internal import ControlSocket
internal import NativeCalls
internal import PluginHost
internal import Router

extension RouterControl {
    /// Calls a provider's command, or tells which there are.
    func call(_ request: CallRequest, _ respond: ControlResponder) async throws(ControlFailure) {
        guard let command = request.command else {
            for report in try commands(of: request.provider) { try await respond.send(report) }
            return
        }
        guard CallRequest.timeoutMsRange.contains(request.timeoutMs) else {
            let range = CallRequest.timeoutMsRange
            throw ControlFailure(.badRequest, "timeoutMs must be from \(range.lowerBound) to \(range.upperBound)")
        }
        let answer: CommandValue?
        do throws(CallError) {
            let time = Duration.milliseconds(request.timeoutMs)
            answer = try await router.call(request.provider, command, request.arguments, within: time)
        } catch {
            throw ControlFailure(code: error.code, message: "\(error)")
        }
        let type = answer.map { CommandValue.name(of: $0.type) } ?? CommandValue.name(of: .void)
        try await respond.send(CallResult(type: type, answer: answer.map { "\($0)" }))
    }

    private func commands(of provider: String) throws(ControlFailure) -> [CommandReport] {
        guard let setup = setups.first(where: { $0.name == provider }) else {
            let error = CallError.unknownInstance(provider, known: setups.map(\.name))
            throw ControlFailure(.notFound, "\(error)")
        }
        guard let description = setup.plugin?.description else {
            throw ControlFailure(.notFound, "the plugin of \(provider) was refused: see 'plugboard plugins'")
        }
        return description.commands.map { CommandReport($0.form) }
            + description.commandRefusals.map { refusal in
                let name = refusal.name
                return CommandReport(
                    name: name,
                    usage: name,
                    help: "",
                    arguments: [],
                    answer: "",
                    refusal: "\(refusal)"
                )
            }
    }
}

extension CommandReport {
    fileprivate init(_ form: CommandForm) {
        self.init(
            name: form.name,
            usage: form.usage,
            help: form.help,
            arguments: form.parameters.map { parameter in
                Argument(
                    name: parameter.name,
                    type: CommandValue.name(of: parameter.type),
                    standard: parameter.standard.map { "\($0)" }
                )
            },
            answer: CommandValue.name(of: form.result)
        )
    }
}

extension CallError {
    fileprivate var code: String {
        switch self {
        case .unknownInstance, .command(.unknown), .command(.notRunning), .command(.refused):
            ControlFailure.Code.notFound.rawValue
        case .command(.arguments): ControlFailure.Code.badRequest.rawValue
        case .timedOut: "timed-out"
        case .command(.failed), .command(.notCarriedOut), .command(.badAnswer), .command(.notCallable): "command-failed"
        }
    }
}

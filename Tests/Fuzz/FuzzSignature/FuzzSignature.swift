import NativeCalls

/// A signature that is read reads back from its own description; a declaration's defaults fit their types; and whatever a
/// plugin declares or an operator types, reading ends.
///
/// The first line is the signature, the second the argument names, each further one an argument.
@c(LLVMFuzzerTestOneInput)
public func fuzzSignature(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let declared = lines.removeFirst()
    let names = lines.isEmpty ? "" : lines.removeFirst()
    do {
        let signature = try Signature(parsing: declared)
        precondition(signature.parameters.count <= Signature.parametersMax)
        precondition(!signature.parameters.contains(.void))
        let again = try Signature(parsing: signature.description)
        precondition(again == signature)
    } catch {
        precondition(!error.description.isEmpty)
    }
    do {
        let form = try CommandForm(name: "command", signature: declared, argumentNames: names, help: "")
        for parameter in form.parameters {
            precondition(parameter.standard.map { $0.type == parameter.type } ?? true)
        }
        let values = try form.values(of: lines)
        precondition(values.map(\.type) == form.parameters.map(\.type))
    } catch let fault as CommandFault {
        precondition(!fault.description.isEmpty)
    } catch let error as ArgumentError {
        precondition(!error.description.isEmpty)
    } catch {
        preconditionFailure("no other error is thrown")
    }
    return 0
}

internal import ArgumentParser
internal import Configuration
internal import Foundation
internal import Spool

/// `plugboard spool`: what can be done with a spool that no router has open.
struct SpoolCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spool",
        abstract: "Repair the spool of a router that is stopped.",
        subcommands: [Recover.self]
    )

    /// `plugboard spool recover`.
    struct Recover: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "recover",
            abstract: "Save what can be read of a damaged spool.",
            discussion: """
                What can be read goes into a new spool; the damaged one is kept beside it, and its new name is printed. \
                Messages that may have been delivered already are delivered again, marked as that. \
                Exit status: 0 the router can be started; 1 it cannot, and it says why.
                """
        )

        @OptionGroup var options: ConfigurationOptions

        func run() throws {
            let path = "\(try self.options.load().router.state)/spool.db"
            do throws(SpoolError) {
                if try self.isSound(path) {
                    Output.line("\(Output.plain(path)): is sound, nothing was changed")
                } else {
                    self.show(try SpoolRecovery.recover(path: path, stamp: Self.stamp()), path)
                }
            } catch {
                Output.error("error: \(Output.plain(error.description))")
                throw ExitStatus.problem
            }
        }

        private func isSound(_ path: String) throws(SpoolError) -> Bool {
            guard FileManager.default.fileExists(atPath: path) else { return false }
            do {
                return try SQLiteSpool.check(path: path).isEmpty
            } catch .corrupt {
                return false
            }
        }

        private func show(_ report: SpoolRecovery.Report, _ path: String) {
            for problem in report.problems { Output.line(Output.plain(problem)) }
            guard !report.aside.isEmpty else { return }
            Output.line(
                "\(Output.plain(path)): saved \(report.messages) waiting messages, \(report.deadLetters) dead letters and "
                    + "\(report.seen) ids of delivered messages"
            )
            if report.messagesLost > 0 {
                Output.line("\(report.messagesLost) messages that were there cannot be read")
            }
            let altered = report.messagesAltered + report.deadLettersAltered
            if altered > 0 { Output.line("\(altered) messages are not what was stored, and are left out") }
            Output.line("the damaged spool is \(Output.plain(report.aside)); keep it until you are sure")
        }

        /// The time, fit for a file's name.
        private static func stamp() -> String {
            let formatter = DateFormatter()
            formatter.locale = Locale(identifier: "en_US_POSIX")
            formatter.timeZone = TimeZone(identifier: "UTC")
            formatter.dateFormat = "yyyyMMdd-HHmmss"
            return formatter.string(from: Date())
        }
    }
}

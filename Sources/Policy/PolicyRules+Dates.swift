extension PolicyRules {
    /// A date that has passed and that somebody should know of.
    package struct Passed: Hashable, Sendable {
        package var sentence: String
        package var place: Place
    }

    /// Providers whose end was announced for a day that has passed, unless the operator ignores it.
    ///
    /// - Parameter now: in ms since 1970.
    package func passed(at now: Int64) -> [Passed] {
        providers.compactMap { provider in
            guard provider.enabled.value, provider.passedDates.value != .ignore, let end = provider.endOfLife,
                now >= end.value.ends
            else { return nil }
            let deed = provider.passedDates.value == .block ? "it is blocked" : "it is used nevertheless"
            return Passed(
                sentence:
                    "the end of \(provider.name) was announced for \(end.value), and \(deed); passed_dates chooses",
                place: end.place
            )
        }
    }

    /// What the strictest of the providers that need a licence does about passed dates; nil if none needs it.
    package func strictest(_ licence: String) -> PassedDates? {
        let choices = providers.filter { $0.licence?.value == licence }.map(\.passedDates.value)
        return PassedDates.allCases.first { choices.contains($0) }
    }
}

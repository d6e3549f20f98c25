internal import HostServices
internal import Synchronization

// Providers that come and go while the writer works. On its thread.
extension SpoolWriter {
    /// Makes a way into the lane of each runtime that has none.
    ///
    /// After steps were taken: whoever sends one for a new runtime has put that into the list before.
    func adoptRuntimes() {
        while destinations.count < core.runtimes.count {
            let runtime = core.runtimes[destinations.count]
            destinations.append(SpoolDestination(core: core, store: store, runtime: runtime))
        }
    }

    /// The way into the lane of a runtime, which may have come since the last look.
    func destination(at index: Int) -> SpoolDestination {
        if index >= destinations.count { adoptRuntimes() }
        return destinations[index]
    }

    /// The ways into lanes of providers that were stopped.
    ///
    /// To be asked before steps are taken: what such a provider has settled is among the steps then, or was before.
    func closingDestinations() -> [SpoolDestination] {
        destinations.filter { $0.isClosing }
    }

    /// Fills these lanes no more, and lets their workers empty them.
    func close(_ closing: [SpoolDestination]) {
        for destination in closing {
            destination.close()
            let runtime = LoopBound(value: destination.runtime)
            runtime.value.context.worker.run { runtime.value.letGo() }
        }
    }
}

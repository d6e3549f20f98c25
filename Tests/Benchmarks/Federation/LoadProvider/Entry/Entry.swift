public import CPlugboard
import LoadProviderLogic
import ProviderKit

/// The plugin's only exported symbol.
@c(plugboard_plugin_entry)
public func entry(_ hostABI: UInt32) -> UnsafePointer<plugboard_plugin_t>? {
    Entry.plugin(LoadProvider.self)
}

public import CPlugboard
import ProviderKit
import XMPPBridge

/// The plugin's only exported symbol.
@c(plugboard_plugin_entry)
public func entry(_ hostABI: UInt32) -> UnsafePointer<plugboard_plugin_t>? {
    Entry.plugin(XMPPProvider.self)
}

import Checkpoints

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Where an adapter argument leads: a folder, or a name in the HuggingFace cache, which is looked up like a model's.
package enum AdapterLocation {
    /// The folder of an adapter; one that exists under the argument comes before a name in the cache.
    ///
    /// - Throws: what is wrong, and for a name that is not in the cache the command that downloads it.
    package static func resolve(
        _ argument: String, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(CheckpointError) -> String {
        try ModelLocation.resolve(argument, required: "adapter_config.json", environment: environment)
    }

    /// Whether an argument that is no loaded adapter's name is worth resolving: it says a place, or is one.
    ///
    /// A word alone may be a mistyped name, so it counts only when something is there.
    package static func mayBePath(
        _ argument: String, environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> Bool {
        argument.contains("/") || MappedFile.isFolder(argument) == true
            || (try? resolve(argument, environment: environment)) != nil
    }
}

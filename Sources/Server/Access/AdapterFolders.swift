import Checkpoints

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// From which folders adapters may be loaded, and which are there by themselves.
struct AdapterFolders: Sendable {
    /// Every folder in it is an adapter of its name.
    let library: String?
    /// Resolved folders, with a slash at the end, in which adapters that requests name by path must lie.
    private let roots: [String]

    init(library: String?, roots: [String]) {
        self.library = library
        self.roots = (roots + [library].compactMap(\.self)).compactMap(Self.resolved).map { $0 + "/" }
    }

    /// The folder of the adapter `name` in the library; nil when there is none.
    func folder(of name: String) -> String? {
        guard let library, !name.isEmpty, !name.hasPrefix("."), !name.contains("/"), !name.contains("\0") else {
            return nil
        }
        let path = library + "/" + name
        guard FileManager.default.fileExists(atPath: path + "/adapter_config.json"), isAllowed(path) else { return nil }
        return path
    }

    /// Names of the adapters in the library.
    var names: [String] {
        guard let library else { return [] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: library)) ?? []
        return names.filter { folder(of: $0) != nil }.sorted()
    }

    var allowsPaths: Bool { !roots.isEmpty }

    /// Whether a path, after all links are resolved, lies in one of the folders.
    func isAllowed(_ path: String) -> Bool {
        // What reads the adapter takes a tilde for the home folder.
        guard !path.hasPrefix("~"), let resolved = Self.resolved(path) else { return false }
        return roots.contains { (resolved + "/").hasPrefix($0) }
    }

    /// The path without links; nil when it does not exist.
    private static func resolved(_ path: String) -> String? {
        guard !path.contains("\0"), FileManager.default.fileExists(atPath: path) else { return nil }
        return URL(filePath: path).resolvingSymlinksInPath().standardizedFileURL.path
    }
}

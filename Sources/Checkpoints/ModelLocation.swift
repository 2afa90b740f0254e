#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Finds the folder that a model or adapter argument means: a folder, or a name in the HuggingFace cache on disk.
///
/// Nothing is ever downloaded.
package enum ModelLocation {
    /// A model's name on the HuggingFace hub: `org/model[@revision]`.
    package struct HubName: Sendable, Equatable {
        /// `org/model`, or `model` for a few old models.
        package let repository: String
        /// Branch, tag or commit, where one was given.
        package let revision: String?
    }

    /// The folder for `argument`, which must hold the file `required`.
    ///
    /// What exists as a folder is that folder; anything else must be a name. `environment` tells where the cache is.
    package static func resolve(
        _ argument: String, required: String = "config.json",
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(CheckpointError) -> String {
        let path = expandingTilde(argument, environment)
        if !argument.isEmpty, let isFolder = MappedFile.isFolder(path) {
            guard isFolder else {
                throw CheckpointError(
                    .mismatch, file: argument, "is a file, expected the folder that holds \(required)")
            }
            guard FileManager.default.fileExists(atPath: path + "/" + required) else {
                throw CheckpointError(.missing, file: argument, "the folder has no \(required)")
            }
            return path
        }
        let isPath = ["/", "./", "../", "~"].contains { argument.hasPrefix($0) }
        guard !isPath, let name = HubName(argument) else {
            throw CheckpointError(
                .missing, file: argument.isEmpty ? "''" : argument, "there is no such folder",
                advice: "give a folder, or a name like org/model or org/model@revision")
        }
        return try find(name, required: required, cache: cacheFolder(environment))
    }

    /// Where the HuggingFace libraries keep their cache: `HF_HUB_CACHE`, `HF_HOME/hub`, `XDG_CACHE_HOME/huggingface/hub`,
    /// `~/.cache/huggingface/hub`.
    package static func cacheFolder(_ environment: [String: String]) -> String {
        func variable(_ name: String) -> String? {
            environment[name].flatMap { $0.isEmpty ? nil : expandingTilde($0, environment) }
        }
        if let hub = variable("HF_HUB_CACHE") ?? variable("HUGGINGFACE_HUB_CACHE") { return hub }
        if let home = variable("HF_HOME") { return home + "/hub" }
        let caches = variable("XDG_CACHE_HOME") ?? homeFolder(environment) + "/.cache"
        return caches + "/huggingface/hub"
    }

    private static func find(_ name: HubName, required: String, cache: String) throws(CheckpointError) -> String {
        let repository = cache + "/models--" + name.repository.split(separator: "/").joined(separator: "--")
        guard let commit = commit(of: name.revision ?? "main", in: repository) else {
            throw notDownloaded(name, "is neither a folder here nor in the HuggingFace cache \(cache)")
        }
        let snapshot = repository + "/snapshots/" + commit
        guard FileManager.default.fileExists(atPath: snapshot + "/" + required) else {
            throw notDownloaded(name, "is in the HuggingFace cache without \(required) (\(snapshot))")
        }
        return snapshot
    }

    /// The commit that `revision` stands for in the cached `repository`.
    private static func commit(of revision: String, in repository: String) -> String? {
        if isCommit(revision), FileManager.default.fileExists(atPath: repository + "/snapshots/" + revision) {
            return revision
        }
        guard let file = try? MappedFile(path: repository + "/refs/" + revision), file.bytes.count <= 200 else {
            return nil
        }
        let text = file.withBytes { bytes in String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self) }
        return isCommit(text) ? text : nil
    }

    private static func isCommit(_ text: String) -> Bool {
        text.utf8.count == 40
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }

    private static func notDownloaded(_ name: HubName, _ problem: String) -> CheckpointError {
        let revision = name.revision.map { " --revision " + $0 } ?? ""
        return CheckpointError(
            .missing, file: name.repository + (name.revision.map { "@" + $0 } ?? ""), problem,
            advice: "download it with: hf download \(name.repository)\(revision)")
    }

    private static func expandingTilde(_ path: String, _ environment: [String: String]) -> String {
        guard path == "~" || path.hasPrefix("~/") else { return path }
        return homeFolder(environment) + path.dropFirst()
    }

    private static func homeFolder(_ environment: [String: String]) -> String {
        environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? FileManager.default.homeDirectoryForCurrentUser.path
    }
}

extension ModelLocation.HubName {
    /// Reads `org/model[@revision]`; nil where the text breaks the hub's rules for names, so it can never leave the cache.
    package init?(_ text: String) {
        let halves = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let parts = halves[0].split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ Self.isName($0) }) else { return nil }
        repository = String(halves[0])
        guard halves.count == 2 else {
            revision = nil
            return
        }
        let steps = halves[1].split(separator: "/", omittingEmptySubsequences: false)
        guard halves[1].utf8.count <= 200, steps.allSatisfy({ Self.isRevisionPart($0) }) else { return nil }
        revision = String(halves[1])
    }

    /// The hub's rule: letters, digits, `-`, `_`, `.`; no `--` and no `..`; neither `-` nor `.` at the ends; at most 96.
    private static func isName(_ part: Substring) -> Bool {
        guard (1...96).contains(part.utf8.count), part.utf8.allSatisfy(isNameByte) else { return false }
        let ends = [part.utf8.first, part.utf8.last]
        return !part.contains("--") && !part.contains("..") && !ends.contains(UInt8(ascii: "-"))
            && !ends.contains(UInt8(ascii: "."))
    }

    private static func isRevisionPart(_ part: Substring) -> Bool {
        !part.isEmpty && !part.hasPrefix(".") && !part.hasPrefix("-")
            && part.utf8.allSatisfy { isNameByte($0) || $0 == UInt8(ascii: "+") }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}

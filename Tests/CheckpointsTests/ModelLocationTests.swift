import Checkpoints
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite struct ModelLocationTests {
    private static let commit = "0123456789abcdef0123456789abcdef01234567"

    /// A cache as huggingface_hub lays it out, with links to blobs.
    private func cache() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let repository = "hub/models--org--model"
        try folder.write(repository + "/blobs/abc", "{}")
        try folder.write(repository + "/refs/main", Self.commit)
        try folder.write(repository + "/refs/refs/pr/1", Self.commit + "\n")
        try folder.write(repository + "/refs/evil", "../../../elsewhere")
        try folder.write(repository + "/refs/dangling", String(Self.commit.reversed()))
        let snapshot = folder.path + "/" + repository + "/snapshots/" + Self.commit
        try FileManager.default.createDirectory(atPath: snapshot, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: snapshot + "/config.json", withDestinationPath: "../../blobs/abc")
        return folder
    }

    @Test(arguments: [
        "org/model", "org/model@main", "org/model@refs/pr/1", "org/model@0123456789abcdef0123456789abcdef01234567",
    ])
    func namesAreFoundInTheCache(_ name: String) throws {
        let folder = try cache()
        let found = try ModelLocation.resolve(name, environment: ["HF_HOME": folder.path])
        #expect(found == folder.path + "/hub/models--org--model/snapshots/" + Self.commit)
    }

    @Test(arguments: [
        ("org/model@evil", "hf download org/model --revision evil"),
        ("org/model@dangling", "hf download org/model --revision dangling"),
        ("org/model@v2", "hf download org/model --revision v2"), ("org/other", "hf download org/other"),
        ("gpt2", "hf download gpt2"),
    ])
    func whatIsMissingComesWithTheCommand(_ name: String, _ command: String) throws {
        let folder = try cache()
        let text = try #require(message { try ModelLocation.resolve(name, environment: ["HF_HOME": folder.path]) })
        #expect(text.hasSuffix("(download it with: \(command))"), "\(text)")
    }

    @Test func incompleteSnapshotsAreToldApart() throws {
        let folder = try cache()
        let text = message {
            try ModelLocation.resolve(
                "org/model", required: "adapter_config.json", environment: ["HF_HOME": folder.path])
        }
        #expect(text?.contains("without adapter_config.json") == true)
    }

    @Test(arguments: [
        "../model", "org/../model", "org/model/more", "/etc", "org/", "/model", "org//model", "-org/model",
        "org/model.",
        "org/mo--del", "org/mo..del", "org/model@", "org/model@../../x", "org/model@/x", "org/model@a/../b",
        "org/model@.x",
        "org/mo del", "org/modél", "org/model\u{0}", "", "~", "~/nothing-here", "./nothing-here",
        "org/" + String(repeating: "x", count: 97), "a@b@c",
    ])
    func textsThatAreNoNamesAreNoPathsIntoTheCacheEither(_ text: String) throws {
        let folder = try cache()
        let environment = ["HF_HOME": folder.path, "HOME": folder.path + "/nobody"]
        #expect(throws: CheckpointError.self) { try ModelLocation.resolve(text, environment: environment) }
    }

    @Test func foldersGoBeforeNames() throws {
        let folder = try TemporaryFolder()
        try folder.write("model@odd/config.json", "{}")
        #expect(try ModelLocation.resolve(folder.path + "/model@odd", environment: [:]) == folder.path + "/model@odd")
        #expect(
            try ModelLocation.resolve("~/model@odd", environment: ["HOME": folder.path]) == folder.path + "/model@odd")
        #expect(
            message { try ModelLocation.resolve(folder.path, environment: [:]) }?.contains("has no config.json") == true
        )
        let file = folder.path + "/model@odd/config.json"
        #expect(message { try ModelLocation.resolve(file, environment: [:]) }?.contains("is a file") == true)
    }

    @Test func environmentTellsWhereTheCacheIs() {
        func cache(_ environment: [String: String]) -> String { ModelLocation.cacheFolder(environment) }
        #expect(cache(["HOME": "/h"]) == "/h/.cache/huggingface/hub")
        #expect(cache(["HOME": "/h", "XDG_CACHE_HOME": "/x"]) == "/x/huggingface/hub")
        #expect(cache(["HOME": "/h", "XDG_CACHE_HOME": "/x", "HF_HOME": "~/f"]) == "/h/f/hub")
        #expect(cache(["HOME": "/h", "HF_HOME": "/f", "HF_HUB_CACHE": "/c"]) == "/c")
        #expect(cache(["HOME": "/h", "HF_HOME": "", "HF_HUB_CACHE": ""]) == "/h/.cache/huggingface/hub")
    }
}

import ArgumentParser
import Checkpoints
import NIOHTTP1

/// `martlet adapters list`: the adapters of a running server.
struct ListAdaptersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show the adapters of a running server.",
        discussion: """
            EXAMPLES
              martlet adapters list
              martlet adapters list --url http://10.0.0.7:8000 --json
            """)

    @OptionGroup(title: "Server") var remote: RemoteOptions

    func run() async throws {
        try await remote.run(.GET, "/v1/adapters") { answer in
            AdapterTable(answer["data"]?.array ?? []).text(.output)
        }
    }
}

/// `martlet adapters load`: has a running server load an adapter.
struct LoadAdapterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Load an adapter into a running server.",
        discussion: """
            PATH is a folder on the server's machine, in one of those that it was started with (--adapters, --adapter-root).

            EXAMPLES
              martlet adapters load sql /srv/adapters/sql
              martlet adapters load sql /srv/adapters/sql-2 --replace
            """)

    @Argument(help: "Name under which requests ask for it.")
    var name: String

    @Argument(help: "Folder on the server's machine.")
    var path: String

    @Flag(help: "Take the place of a loaded adapter of this name; requests in flight finish with the old one.")
    var replace = false

    @OptionGroup(title: "Server") var remote: RemoteOptions

    func run() async throws {
        let body: JSONValue = ["name": .string(name), "path": .string(path), "replace": .bool(replace)]
        try await remote.run(.POST, "/v1/adapters", body) { AdapterTable.loaded($0) }
    }
}

/// `martlet adapters unload`: takes an adapter's name away.
struct UnloadAdapterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unload",
        abstract: "Take an adapter away from a running server; requests in flight finish with it.",
        discussion: """
            EXAMPLES
              martlet adapters unload sql
            """)

    @Argument(help: "Name of the adapter.")
    var name: String

    @OptionGroup(title: "Server") var remote: RemoteOptions

    func run() async throws {
        let answer: JSONValue = ["id": .string(name), "object": "adapter", "deleted": true]
        try await remote.run(.DELETE, "/v1/adapters/" + ServerAddress.escaped(name)) { _ in
            answer
        } text: { _ in
            "Unloaded \(name).\n"
        }
    }
}

/// `martlet adapters reload`: reads an adapter's files again.
struct ReloadAdapterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Have a running server read an adapter's files again.",
        discussion: """
            Requests in flight finish with what they began with. When the files cannot be used, everything stays as it is.

            EXAMPLES
              martlet adapters reload sql
            """)

    @Argument(help: "Name of the adapter.")
    var name: String

    @OptionGroup(title: "Server") var remote: RemoteOptions

    func run() async throws {
        try await remote.run(.POST, "/v1/adapters/reload", ["name": .string(name)]) { AdapterTable.loaded($0) }
    }
}

/// `martlet adapters pin`: keeps an adapter in memory.
struct PinAdapterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin", abstract: "Have a running server keep an adapter in memory.",
        discussion: """
            EXAMPLES
              martlet adapters pin sql
            """)

    @Argument(help: "Name of the adapter.")
    var name: String

    @OptionGroup(title: "Server") var remote: RemoteOptions

    func run() async throws { try await remote.pin(name, true) }
}

/// `martlet adapters unpin`: lets an adapter go when memory is needed.
struct UnpinAdapterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpin", abstract: "Let a running server give up an adapter when memory is needed.",
        discussion: """
            EXAMPLES
              martlet adapters unpin sql
            """)

    @Argument(help: "Name of the adapter.")
    var name: String

    @OptionGroup(title: "Server") var remote: RemoteOptions

    func run() async throws { try await remote.pin(name, false) }
}

extension RemoteOptions {
    fileprivate func pin(_ name: String, _ isPinned: Bool) async throws {
        let body: JSONValue = ["name": .string(name), "pinned": .bool(isPinned)]
        try await run(.POST, "/v1/adapters/pin", body) { answer in
            answer["data"]?.array?.first { $0["id"]?.string == name } ?? answer
        } text: { _ in
            "\(isPinned ? "Pinned" : "Unpinned") \(name).\n"
        }
    }
}

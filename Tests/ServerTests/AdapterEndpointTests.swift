import Checkpoints
import Engine
import Foundation
import Testing

@testable import Server

@Suite struct AdapterEndpointTests {
    /// A folder with two adapters inside and one outside, reached by a link.
    private final class Folders {
        let base: String
        var library: String { base + "/library" }

        init() throws {
            base = NSTemporaryDirectory() + "/martlet-adapters-\(UInt64.random(in: 0 ... .max))"
            let files = FileManager.default
            for name in ["library/one", "library/two", "library/not-one", "outside"] {
                try files.createDirectory(atPath: base + "/" + name, withIntermediateDirectories: true)
            }
            for name in ["library/one", "library/two", "outside"] {
                try Data("{}".utf8).write(to: URL(filePath: base + "/\(name)/adapter_config.json"))
            }
            try files.createSymbolicLink(atPath: base + "/library/link", withDestinationPath: base + "/outside")
        }

        deinit { try? FileManager.default.removeItem(atPath: base) }
    }

    @Test func loadingAndUnloadingSpeakVLLMsDialect() async throws {
        let folders = try Folders()
        let engine = ScriptedEngine()
        try await withServer(engine, configured { $0.adapterRoots = [folders.library] }) { server async throws in
            let body = #"{"lora_name":"a","lora_path":"\#(folders.library)/one"}"#
            let loaded = try await server.post("/v1/load_lora_adapter", body)
            #expect(loaded.status == 200)
            #expect(loaded.text == "Success: LoRA adapter 'a' added successfully.")
            let twice = try await server.post("/v1/load_lora_adapter", body)
            #expect(twice.status == 400 && twice.errorType == "InvalidUserInput")
            let inPlace = #"{"lora_name":"a","lora_path":"\#(folders.library)/two","load_inplace":true}"#
            #expect(try await server.post("/v1/load_lora_adapter", inPlace).status == 200)
            let completion = try await server.post("/v1/completions", #"{"model":"a","prompt":"x","max_tokens":1}"#)
            #expect(completion.status == 200)
            #expect(completion.text.contains(#""model":"a""#))
            #expect(completion.text.contains(#""adapter_start":2"#))
            #expect(engine.requests.last?.adapters == [AdapterSelection("a")])
            #expect(engine.requests.last?.tenant == "a")
            let models = try await server.get("/v1/models").text
            #expect(models.contains(#"{"id":"a","object":"model""#))
            #expect(models.contains(#""parent":"scripted","permission""#))
            #expect(try await server.get("/v1/models/a").status == 200)
            #expect(try await server.get("/v1/adapters").text.contains(#""digest":"d""#))
            let one = try await server.get("/v1/adapters/a").json
            #expect(one["kind"] == "lora" && one["rank"] == 8 && one["residency"] == "memory")
            #expect(one["load_seconds"] == 0.25 && one["uses"]?["requests"] == 0 && one["last_used"] == .null)
            let reloaded = try await server.post("/v1/adapters/reload", #"{"name":"a"}"#)
            #expect(reloaded.status == 200 && reloaded.text.contains("/library/two"))
            #expect(try await server.post("/v1/adapters/pin", #"{"name":"a"}"#).status == 200)
            for path in ["reload", "pin"] {
                #expect(try await server.post("/v1/adapters/\(path)", #"{"name":"b"}"#).status == 404)
            }
            #expect(try await server.get("/v1/adapters/b").status == 404)
            let unloaded = try await server.post("/v1/unload_lora_adapter", #"{"lora_name":"a"}"#)
            #expect(unloaded.text == "Success: LoRA adapter 'a' removed successfully.")
            #expect(try await server.post("/v1/unload_lora_adapter", #"{"lora_name":"a"}"#).status == 404)
            #expect(try await server.post("/v1/completions", #"{"model":"a","prompt":"x"}"#).status == 404)
            for bad in [#"{"lora_name":"a"}"#, #"{"lora_path":"p"}"#, #"{"lora_name":"","lora_path":"p"}"#] {
                let response = try await server.post("/v1/load_lora_adapter", bad)
                #expect(response.status == 400 && response.errorType == "InvalidUserInput")
            }
        }
    }

    @Test func pathsStayInsideTheOpenFolders() async throws {
        let folders = try Folders()
        func load(_ path: String) -> String { #"{"lora_name":"a","lora_path":"\#(path)"}"# }
        try await withServer(ScriptedEngine(), configured { $0.adapterRoots = [folders.library] }) {
            server async throws in
            for path in [
                folders.base + "/outside", folders.library + "/link", folders.library + "/../outside", "/etc",
                folders.library + "/missing", "one", "",
            ] {
                let response = try await server.post("/v1/load_lora_adapter", load(path))
                #expect(response.status == (path.isEmpty ? 400 : 404), "\(path)")
            }
        }
        try await withServer(ScriptedEngine()) { server async throws in
            let response = try await server.post("/v1/load_lora_adapter", load(folders.library + "/one"))
            #expect(response.status == 400)
            #expect(response.text.contains("--adapter-root"))
        }
    }

    @Test func adaptersOfTheLibraryAreLoadedWhenAskedFor() async throws {
        let folders = try Folders()
        let engine = ScriptedEngine()
        try await withServer(engine, configured { $0.adapterLibrary = folders.library }) { server async throws in
            let models = try await server.get("/v1/models").text
            #expect(models.contains(#""id":"one""#) && models.contains(#""id":"two""#))
            #expect(!models.contains("not-one") && !models.contains(#""id":"link""#))
            #expect(engine.loadedAdapters.isEmpty)
            let listed = try await server.get("/v1/adapters").json["data"]?.array ?? []
            #expect(listed.map { $0["id"]?.string } == ["one", "two"])
            #expect(listed.allSatisfy { $0["residency"] == "disk" && $0["kind"] == .null })
            #expect(try await server.get("/v1/adapters/one").json["resident"] == false)
            let body = #"{"adapters":["one",{"name":"two","scale":0.5}],"prompt":"x"}"#
            #expect(try await server.post("/v1/completions", body).status == 200)
            #expect(engine.loadedAdapters.map(\.name) == ["one", "two"])
            #expect(engine.requests.last?.adapters == [AdapterSelection("one"), AdapterSelection("two", scale: 0.5)])
            for name in ["not-one", "link", "../outside", ".", "", "one/"] {
                let body = #"{"model":"\#(name)","prompt":"x"}"#
                #expect(try await server.post("/v1/completions", body).status == 404, "\(name)")
            }
            for bad in [#"[1]"#, #"[{"scale":1}]"#, #""one""#, #"[{"name":"one","scale":"x"}]"#] {
                let response = try await server.post("/v1/completions", #"{"prompt":"x","adapters":\#(bad)}"#)
                #expect(response.status == 400, "\(bad)")
            }
            let both = #"{"model":"one","adapters":["two"],"prompt":"x"}"#
            #expect(try await server.post("/v1/completions", both).status == 400)
        }
    }

    @Test func changesNeedAnAdminsKey() async throws {
        let folders = try Folders()
        let keys = configured {
            $0.apiKeys = ["key"]
            $0.adminKeys = ["admin"]
            $0.adapterRoots = [folders.library]
        }
        let body = #"{"lora_name":"a","lora_path":"\#(folders.library)/one"}"#
        try await withServer(ScriptedEngine(), keys) { server async throws in
            for path in [
                "/v1/load_lora_adapter", "/v1/unload_lora_adapter", "/v1/adapters", "/v1/adapters/reload",
                "/v1/adapters/pin",
            ] {
                #expect(try await server.post(path, body).status == 401)
                #expect(try await server.post(path, body, headers: ["x-api-key": "key"]).status == 403)
            }
            let admin = ["x-api-key": "admin"]
            #expect(try await server.post("/v1/load_lora_adapter", body, headers: admin).status == 200)
            #expect(try await server.get("/v1/adapters/a", method: "DELETE", headers: admin).status == 204)
            #expect(try await server.get("/v1/models", headers: admin).status == 200)
        }
    }

    @Test func strictnessIsTheRequestsOrElseTheServers() async throws {
        let folders = try Folders()
        for (isStrict, field, expected) in [
            (false, "", false), (true, "", true), (false, #","adapter_strict":true"#, true),
            (true, #","adapter_strict":false"#, false), (true, #","adapter_strict":null"#, true),
        ] {
            let engine = ScriptedEngine()
            let configuration = configured {
                $0.adapterLibrary = folders.library
                $0.requiresInvocation = isStrict
            }
            try await withServer(engine, configuration) { server async throws in
                let prompt = #"{"model":"one","prompt":["x","y"],"max_tokens":1\#(field)}"#
                #expect(try await server.post("/v1/completions", prompt).status == 200)
                let chat = #"{"adapters":["one","two"],"messages":[{"role":"user","content":"x"}]\#(field)}"#
                #expect(try await server.post("/v1/chat/completions", chat).status == 200)
                #expect(engine.requests.map(\.requiresInvocation) == [expected, expected, expected])
                let bad = #"{"model":"one","prompt":"x","adapter_strict":1}"#
                #expect(try await server.post("/v1/completions", bad).status == 400)
            }
        }
    }

    /// The scripted model has 258 tokens, each of its adapters two more.
    @Test func detokenizeKnowsTheTokensOfAnAdapter() async throws {
        let folders = try Folders()
        try await withServer(ScriptedEngine(), configured { $0.adapterLibrary = folders.library }) {
            server async throws in
            for (fields, status) in [
                (#""tokens":[104,257]"#, 200), (#""tokens":[104,258]"#, 400),
                (#""model":"one","tokens":[104,259]"#, 200),
                (#""adapters":["two"],"tokens":[259]"#, 200), (#""model":"one","tokens":[260]"#, 400),
                (#""model":"one","tokens":[2147483647]"#, 400), (#""model":"one","tokens":[2147483648]"#, 400),
                (#""model":"one","tokens":[-1]"#, 400), (#""model":"none","tokens":[1]"#, 404),
            ] {
                let response = try await server.post("/detokenize", "{\(fields)}")
                #expect(response.status == status, "\(fields): \(response.text)")
            }
        }
    }
}

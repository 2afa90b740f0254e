import Adapters
import Checkpoints
import Models
import Testing

@testable import MartletCommand

@Suite struct AdapterReportTests {
    private static let demo =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        + "/Sources/DemoModel"

    private static let plain = Terminal(descriptor: 1, isInteractive: false, noColour: nil, kind: nil)

    private func report(_ name: String) throws -> AdapterReport {
        let catalog = try ModelRegistry.catalog(folder: Self.demo + "/base")
        return AdapterReport(
            path: name, adapter: try AdapterLoader.load(folder: Self.demo + "/adapters/" + name, catalog: catalog))
    }

    @Test func lowRank() throws {
        let json = try report("json-extract").json
        #expect(json["kind"] == "LORA")
        #expect(json["ranks"] == [16])
        #expect(json["scales"] == [4.0])
        #expect(json["modules"]?.array?.count == 42)
        #expect(json["start"] == "always")
        let text = try report("json-extract").text(Self.plain)
        #expect(text.contains("  rank        16\n  scale       4.0\n  modules     42: down_proj gate_proj"))
    }

    @Test func activated() throws {
        let report = try report("certainty")
        #expect(report.json["invocation_tokens"] == [1, 816, 2])
        #expect(report.json["start_offset"] == 0)
        #expect(report.text(Self.plain).contains("from the first token of the last 1 816 2"))
    }

    @Test(arguments: ["terse", "pirate"])
    func prompts(_ name: String) throws {
        let json = try report(name).json
        #expect(json["virtual_tokens"]?.int ?? 0 > 0)
        #expect(json["modules"] == [])
        #expect(try report(name).text(Self.plain).contains("before"))
    }
}

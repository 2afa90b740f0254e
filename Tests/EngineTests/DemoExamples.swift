import Checkpoints
import DemoModel
import Foundation

/// One line of the demo model's `examples.jsonl`: a prompt and what transformers makes of it in float32.
struct DemoExample: Sendable {
    let id: String
    let adapter: String?
    let prompt: String
    let promptTokens: [Int32]
    let expectedTokens: [Int32]
    let expected: String
    let minMargin: Double
    let messages: JSONValue

    static func base() throws -> [DemoExample] { try all().filter { $0.adapter == nil } }

    static func all() throws -> [DemoExample] {
        let file = try DemoModelFolder.locate().examples
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        return try lines.map { try DemoExample(JSONValue(parsing: String($0))) }
    }

    private init(_ json: JSONValue) {
        id = json["id"]?.string ?? ""
        adapter = json["adapter"]?.string
        prompt = json["prompt"]?.string ?? ""
        promptTokens = json["prompt_ids"]?.array?.compactMap { $0.int.map(Int32.init) } ?? []
        expectedTokens = json["expected_ids"]?.array?.compactMap { $0.int.map(Int32.init) } ?? []
        expected = json["expected"]?.string ?? ""
        minMargin = json["min_margin"]?.double ?? 0
        messages = json["messages"] ?? []
    }
}

import ChatTemplates
import Checkpoints
import Foundation
import Testing

/// What jinja2 makes of many templates, recorded by `Tools/chat-templates/generate.py`.
struct Fixture: Sendable {
    let variables: JSONObject
    let now: TemplateTime?
    let cases: [JSONValue]

    init(_ name: String) throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name).json")
        let json = try JSONValue(parsing: String(contentsOf: path, encoding: .utf8))
        variables = try #require(json["variables"]?.object)
        now = TemplateTime(try #require(json["now"]?.string))
        cases = try #require(json["cases"]?.array)
    }

    func render(_ template: String) -> Result<String, TemplateError> {
        var kwargs = variables
        for name in ["messages", "tools", "add_generation_prompt"] { kwargs[name] = nil }
        let input = TemplateInput(
            messages: variables["messages"] ?? .null, tools: variables["tools"],
            addGenerationPrompt: variables["add_generation_prompt"]?.bool ?? false, kwargs: kwargs, now: now)
        return Result { () throws(TemplateError) in try ChatTemplate(template).render(input) }
    }
}

/// The difference to what was recorded, or nil.
func difference(_ result: Result<String, TemplateError>, _ expected: JSONValue) -> String? {
    switch result {
    case .success(let output):
        guard let wanted = expected["output"]?.string else { return "rendered \(output.debugDescription)" }
        return Array(output.utf8) == Array(wanted.utf8)
            ? nil : "\n  got \(output.debugDescription)\n  not \(wanted.debugDescription)"
    case .failure(let error):
        guard let kind = expected["error"]?.string else { return "failed: \(error) (\(error.kind))" }
        if kind == "syntax" {
            let isRefused = error.kind == .syntax || error.kind == .unsupported
            return isRefused && error.line == expected["line"]?.int ? nil : "\(error) in line \(error.line ?? 0)"
        }
        if kind == "raised" {
            return error.kind == .raised && error.message == expected["message"]?.string ? nil : "\(error)"
        }
        return error.line == nil && error.kind != .input ? "no line: \(error)" : nil
    }
}

@Suite struct FixtureTests {
    @Test(arguments: ["written", "random"])
    func rendersAsJinjaDoes(name: String) throws {
        let fixture = try Fixture(name)
        for expected in fixture.cases {
            let template = try #require(expected["template"]?.string)
            let found = difference(fixture.render(template), expected)
            #expect(found == nil, "\(template.debugDescription): \(found ?? "")")
        }
    }
}

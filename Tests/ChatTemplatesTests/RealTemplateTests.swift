import ChatTemplates
import Checkpoints
import Foundation
import Testing

private let dataFolder = ProcessInfo.processInfo.environment["MARTLET_DATA"].map {
    URL(filePath: $0).appending(path: "chat_templates")
}

/// Published templates, with renderings made by transformers.
@Suite(.enabled(if: dataFolder != nil)) struct RealTemplateTests {
    @Test func rendersPublishedTemplatesAsTransformersDoes() throws {
        let folder = try #require(dataFolder)
        let inputs = try #require(try json(folder.appending(path: "cases.json"))["cases"]?.object)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "expected").path())
        var count = 0
        for name in names.sorted() {
            let expected = try json(folder.appending(path: "expected/\(name)"))
            let templateName = try #require(expected["template"]?.string)
            let source = try String(
                contentsOf: folder.appending(path: "templates/\(templateName).jinja"), encoding: .utf8)
            let template = try ChatTemplate(source)
            for result in try #require(expected["results"]?.array) {
                let caseName = try #require(result["case"]?.string)
                let rendering = render(template, try #require(inputs[caseName]), expected["special_tokens"])
                let found = difference(rendering, flattened(result))
                #expect(found == nil, "\(templateName), \(caseName): \(found ?? "")")
                count += 1
            }
        }
        #expect(count > 1000)
    }

    private func json(_ url: URL) throws -> JSONValue {
        try JSONValue(parsing: String(contentsOf: url, encoding: .utf8))
    }

    private func render(_ template: ChatTemplate, _ input: JSONValue, _ tokens: JSONValue?) -> Result<
        String, TemplateError
    > {
        var specialTokens: [String: String] = [:]
        for (name, token) in tokens?.object ?? [:] { specialTokens[name] = token.string }
        let input = TemplateInput(
            messages: input["messages"] ?? .null, tools: input["tools"],
            addGenerationPrompt: input["add_generation_prompt"]?.bool ?? false,
            continueFinalMessage: input["continue_final_message"]?.bool ?? false,
            kwargs: input["chat_template_kwargs"]?.object ?? [:], specialTokens: specialTokens,
            now: TemplateTime(year: 2026, month: 1, day: 15, hour: 9, minute: 30))
        return Result { () throws(TemplateError) in try template.render(input) }
    }

    /// The expectation in the form of the project's own fixtures; errors without words of the template are all alike.
    private func flattened(_ result: JSONValue) -> JSONValue {
        guard let error = result["error"] else { return result }
        guard error["raised_by_template"]?.bool == true else { return ["error": "any"] }
        return ["error": "raised", "message": error["message"] ?? .null]
    }
}

import ChatTemplates
import Checkpoints

/// Renders arbitrary templates over arbitrary input: the bytes up to the first NUL are the template, those after it a
/// JSON object of variables, of which `messages` are the messages. Nothing may crash, hang or grow without bound.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzChatTemplate(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let parts = UnsafeBufferPointer(start: data, count: count).split(separator: 0, maxSplits: 1)
    guard let source = parts.first else { return 0 }
    let json = parts.count > 1 ? try? JSONValue(parsing: UnsafeBufferPointer(rebasing: parts[1])) : nil
    var kwargs = json?.object ?? defaults
    let messages = kwargs["messages"] ?? .array([])
    kwargs["messages"] = nil
    var limits = TemplateLimits()
    limits.steps = 200_000
    limits.allocatedBytes = 16 << 20
    limits.outputBytes = 4 << 20
    do {
        let template = try ChatTemplate(String(decoding: source, as: UTF8.self), limits: limits)
        _ = try? template.normalised(messages: messages)
        for continues in [false, true] {
            let input = TemplateInput(
                messages: messages, addGenerationPrompt: !continues, continueFinalMessage: continues, kwargs: kwargs)
            _ = try? template.render(input)
        }
    } catch {
        return 0
    }
    return 0
}

/// Variables for templates without input of their own.
private let defaults: JSONObject = [
    "messages": [
        ["role": "user", "content": "Hi \u{E9}"], ["role": "assistant", "content": [["type": "text", "text": "x"]]],
    ],
    "s": "Hello World", "n": 7, "f": 2.5, "l": [3, 1, 2], "d": ["a": 1, "b": ["c": nil]], "t": true,
]

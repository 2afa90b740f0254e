import ArgumentParser
import Checkpoints
import DemoModel
import Tokenizers

/// `martlet tokenize`: a tokenizer in a pipe.
struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Turn text into token ids, or ids into text, as JSON lines.",
        discussion: """
            Reads one JSON object in each line of standard input and answers each with one line at once:
              {"text": "Hello", "add_special_tokens": true}
                → {"ids": [15496], "pieces": ["Hello"]}
            and with --decode:
              {"ids": [15496], "skip_special_tokens": false}
                → {"text": "Hello"}
            add_special_tokens is true when left out, skip_special_tokens false (as in transformers). A line that \
            cannot be used is answered with {"error": "…"}, and the next line is read.

            EXAMPLES
              echo '{"text": "Hello"}' | martlet tokenize
              martlet tokenize --tokenizer ~/models/llama < texts.jsonl > ids.jsonl
              echo '{"ids": [1, 2, 3]}' | martlet tokenize --decode
            """)

    @Option(
        help: ArgumentHelp(
            "Folder with tokenizer.json, or ORG/NAME in the HuggingFace cache; the default is the demo's.",
            valueName: "model"))
    var tokenizer: String?

    @Flag(help: "From token ids to text.")
    var decode = false

    func run() throws {
        let folder =
            try tokenizer.map { try ModelLocation.resolve($0, required: "tokenizer.json") }
            ?? DemoModelFolder.locate().base
        let tokenizer = try Tokenizer(folder: folder)
        JSONLineLoop.run { line in
            decode ? try Self.decode(line, tokenizer) : try Self.encode(line, tokenizer)
        }
    }

    static func encode(_ line: JSONObject, _ tokenizer: Tokenizer) throws -> JSONObject {
        let text = try line.required("text", "a string", \.string)
        let addsSpecialTokens = try line.optional("add_special_tokens", "true or false", \.bool) ?? true
        let ids = tokenizer.encode(text, addSpecialTokens: addsSpecialTokens)
        return [
            "ids": .array(ids.map { .int(Int($0)) }),
            "pieces": .array(ids.map { .string(tokenizer.piece($0) ?? "") }),
        ]
    }

    static func decode(_ line: JSONObject, _ tokenizer: Tokenizer) throws -> JSONObject {
        let ids = try line.tokenIDs("ids")
        let skipsSpecialTokens = try line.optional("skip_special_tokens", "true or false", \.bool) ?? false
        return ["text": .string(tokenizer.decode(ids, skipSpecialTokens: skipsSpecialTokens))]
    }
}

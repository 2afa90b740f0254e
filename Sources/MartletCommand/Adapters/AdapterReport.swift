import Adapters
import Checkpoints

/// What `martlet adapters inspect` shows.
struct AdapterReport {
    let path: String
    let adapter: LoadedAdapter

    private var effects: AdapterEffects { adapter.effects }

    /// The scales of all deltas, without repetition, ascending.
    private var scales: [Double] { Set(effects.deltas.map(\.scale)).sorted() }

    /// Last parts of the names of the changed modules, without repetition.
    private var targets: [String] {
        Set(effects.modules.map { $0.split(separator: ".").last.map(String.init) ?? $0 }).sorted()
    }

    /// The tokens or the text that switch the adapter on, as people read them.
    private var start: String {
        switch adapter.activation {
        case .always: "active everywhere"
        case .afterTokens(let tokens, let offset):
            "\(Self.place(offset)) of the last \(tokens.map(String.init).joined(separator: " ")) in the prompt"
        case .afterText(let text, let offset): "\(Self.place(offset)) of the last \(text) in the prompt"
        }
    }

    private static func place(_ offset: Int) -> String {
        offset == 0 ? "from the first token" : "from \(offset) token\(offset == 1 ? "" : "s") after the first token"
    }

    // MARK: For people

    func text(_ terminal: Terminal) -> String {
        var lines = [terminal.bold(path), row("kind", adapter.kind.rawValue)]
        if !effects.deltas.isEmpty {
            lines.append(row("rank", effects.ranks.map(String.init).joined(separator: ", ")))
            lines.append(row("scale", scales.map { "\($0)" }.joined(separator: ", ")))
        }
        if !effects.modules.isEmpty {
            lines.append(row("modules", "\(effects.modules.count): \(targets.joined(separator: " "))"))
        }
        lines += parts.map { row($0.name, $0.value) }
        lines.append(row("start", start))
        lines.append(row("size", Format.bytes(effects.byteCount)))
        if let base = adapter.baseModel { lines.append(row("made for", base)) }
        if let version = adapter.peftVersion { lines.append(row("PEFT", version)) }
        lines.append(row("digest", adapter.digest.description))
        lines += adapter.warnings.map { terminal.red("Note: ") + $0 }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Effects that only some kinds have.
    private var parts: [(name: String, value: String)] {
        var parts: [(String, String)] = []
        func add(_ name: String, _ count: Int, _ what: String) {
            if count > 0 { parts.append((name, "\(count) \(what)")) }
        }
        add("DoRA", effects.deltas.count { $0.magnitude != nil }, "modules with a magnitude")
        add("factors", effects.scales.count, "modules with scaled inputs or outputs")
        add("replaced", effects.replacements.count { !$0.isBaseCopy }, "weights and biases")
        add("base", effects.replacements.count { $0.isBaseCopy }, "weights of the model stored beside their change")
        add("tokens", effects.tokenRows.reduce(0) { $0 + $1.tokens.count }, "rows of the vocabulary")
        add("vocabulary", effects.replacements.isEmpty ? 0 : adapter.vocabularySize, "tokens")
        add("before", effects.promptEmbeddings?.tokenCount ?? 0, "virtual tokens")
        add("tasks", (effects.promptEmbeddings?.tasks.count ?? 1) - 1, "further tasks")
        add("before", effects.prefix?.tokenCount ?? 0, "positions of keys and values")
        return parts
    }

    private func row(_ name: String, _ value: String) -> String {
        "  " + name + String(repeating: " ", count: max(1, 12 - name.count)) + value
    }

    // MARK: For programs

    var json: JSONObject {
        var object: JSONObject = [
            "path": .string(path),
            "kind": .string(adapter.kind.rawValue),
            "ranks": .array(effects.ranks.map(JSONValue.int)),
            "scales": .array(scales.map(JSONValue.double)),
            "modules": .array(effects.modules.map(JSONValue.string)),
            "dora_modules": .int(effects.deltas.count { $0.magnitude != nil }),
            "scaled_modules": .int(effects.scales.count),
            "replaced_parameters": .int(effects.replacements.count),
            "token_rows": .int(effects.tokenRows.reduce(0) { $0 + $1.tokens.count }),
            "virtual_tokens": .int(effects.virtualTokenCount),
            "tasks": .int(effects.promptEmbeddings?.tasks.count ?? 0),
            "vocabulary_size": .int(adapter.vocabularySize),
            "bytes": .int(effects.byteCount),
            "digest": .string(adapter.digest.description),
            "base_model": adapter.baseModel.map(JSONValue.string) ?? .null,
            "peft_version": adapter.peftVersion.map(JSONValue.string) ?? .null,
        ]
        switch adapter.activation {
        case .always: object["start"] = "always"
        case .afterTokens(let tokens, let offset):
            object["start"] = "invocation"
            object["invocation_tokens"] = .array(tokens.map { .int(Int($0)) })
            object["start_offset"] = .int(offset)
        case .afterText(let text, let offset):
            object["start"] = "invocation"
            object["invocation_text"] = .string(text)
            object["start_offset"] = .int(offset)
        }
        object["warnings"] = .array(adapter.warnings.map(JSONValue.string))
        return object
    }
}

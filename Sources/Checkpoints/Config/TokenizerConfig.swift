#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What `tokenizer_config.json` and the files beside it say: special tokens, chat templates, defaults of encoding.
package struct TokenizerConfig: Sendable, Equatable {
    /// A token with the rules for finding it in text.
    package struct AddedToken: Sendable, Equatable {
        package var content: String
        package var isSpecial: Bool
        package var stripsLeft: Bool
        package var stripsRight: Bool
        package var isSingleWord: Bool
        package var isNormalized: Bool
    }

    package var tokenizerClass: String?
    /// Tokens with a name that chat templates know: `bos_token`, `eos_token`, `unk_token`, `sep_token`, `pad_token`,
    /// `cls_token`, `mask_token`, and the model's own (`image_token`, …).
    package var specialTokens: [String: String] = [:]
    /// Further special tokens without a name.
    package var additionalSpecialTokens: [String] = []
    /// Added tokens by id.
    package var addedTokens: [Int32: AddedToken] = [:]
    package var addsBeginToken: Bool?
    package var addsEndToken: Bool?
    package var addsPrefixSpace: Bool?
    package var cleansUpTokenizationSpaces: Bool?
    /// Most tokens of an input; nil where the file has none or transformers' "very large" 10^30.
    package var maximumLength: Int?
    /// Chat templates by name; the one that is used unless another is asked for is `default`.
    package var chatTemplates: [String: String] = [:]

    /// The template that is used unless another is asked for.
    package var chatTemplate: String? { chatTemplates["default"] }

    package init() {}

    /// Reads the files in `folder`, all of them optional.
    ///
    /// As in transformers, template files go before the `chat_template` field, and the tokens of
    /// `special_tokens_map.json` are used where `tokenizer_config.json` names none.
    package init(folder: String) throws(CheckpointError) {
        self.init()
        if let fields = try ConfigFields.ifPresent(path: folder + "/tokenizer_config.json") {
            self = try TokenizerConfig(fields)
        }
        if let map = try ConfigFields.ifPresent(path: folder + "/special_tokens_map.json") {
            let own = specialTokens
            try readSpecialTokens(map)
            specialTokens.merge(own) { $1 }
        }
        if chatTemplates.isEmpty, let legacy = try ConfigFields.ifPresent(path: folder + "/chat_template.json") {
            try readChatTemplates(legacy)
        }
        let files = try ChatTemplateFiles.read(folder)
        if !files.isEmpty { chatTemplates = files }
    }

    package init(_ fields: ConfigFields) throws(CheckpointError) {
        tokenizerClass = try fields.string("tokenizer_class")
        addsBeginToken = try fields.bool("add_bos_token")
        addsEndToken = try fields.bool("add_eos_token")
        addsPrefixSpace = try fields.bool("add_prefix_space")
        cleansUpTokenizationSpaces = try fields.bool("clean_up_tokenization_spaces")
        if let length = try fields.double("model_max_length", in: 0...Double.greatestFiniteMagnitude), length >= 1,
            length <= Double(1 << 40)
        {
            maximumLength = Int(length)
        }
        try readSpecialTokens(fields)
        try readAddedTokens(fields)
        try readChatTemplates(fields)
    }

    // MARK: Tokens

    private mutating func readSpecialTokens(_ fields: ConfigFields) throws(CheckpointError) {
        for (name, value) in fields.object where name.hasSuffix("_token") {
            if let token = Self.content(of: value) { specialTokens[name] = token }
        }
        // transformers 5 keeps named ones in an object, unnamed ones in a list, both under this key.
        for name in ["additional_special_tokens", "extra_special_tokens"] {
            switch fields.value(name) {
            case nil: break
            case .array(let values): additionalSpecialTokens += try Self.contents(of: values, name, fields)
            case .object(let named):
                for (key, value) in named {
                    guard let token = Self.content(of: value) else {
                        throw fields.mismatch("\(name).\(key)", "expected a string or a token object")
                    }
                    specialTokens[key] = token
                }
            default: throw fields.mismatch(name, "expected a list of tokens or an object")
            }
        }
    }

    private static func contents(
        of values: [JSONValue], _ name: String, _ fields: ConfigFields
    ) throws(CheckpointError) -> [String] {
        var result: [String] = []
        for value in values {
            guard let token = content(of: value) else {
                throw fields.mismatch(name, "expected strings or token objects, found \(ConfigFields.shown(value))")
            }
            result.append(token)
        }
        return result
    }

    /// The text of a token that is written as a string or as an object with `content`.
    private static func content(of value: JSONValue) -> String? { value.string ?? value["content"]?.string }

    private mutating func readAddedTokens(_ fields: ConfigFields) throws(CheckpointError) {
        guard let table = try fields.nested("added_tokens_decoder") else { return }
        for key in table.object.keys {
            guard let id = Int32(key), id >= 0 else { throw table.mismatch(key, "expected a token id as the name") }
            guard let token = try table.nested(key), let content = try token.string("content") else {
                throw table.mismatch(key, "expected an object with 'content'")
            }
            addedTokens[id] = AddedToken(
                content: content, isSpecial: try token.bool("special") ?? false,
                stripsLeft: try token.bool("lstrip") ?? false, stripsRight: try token.bool("rstrip") ?? false,
                isSingleWord: try token.bool("single_word") ?? false,
                isNormalized: try token.bool("normalized") ?? false)
        }
    }

    // MARK: Templates

    private mutating func readChatTemplates(_ fields: ConfigFields) throws(CheckpointError) {
        switch fields.value("chat_template") {
        case nil: return
        case .string(let template): chatTemplates["default"] = template
        case .object(let named):
            for (name, value) in named { chatTemplates[name] = value.string }
        case .array(let entries):
            for entry in entries {
                guard let name = entry["name"]?.string, let template = entry["template"]?.string else {
                    throw fields.mismatch("chat_template", "expected entries with 'name' and 'template'")
                }
                chatTemplates[name] = template
            }
        default: throw fields.mismatch("chat_template", "expected a string or a list of named templates")
        }
    }
}

/// Chat templates in files of their own: `chat_template.jinja`, and `NAME.jinja` in `additional_chat_templates`.
private enum ChatTemplateFiles {
    /// Most bytes of a template that are read.
    static let maximumLength = 4_000_000
    /// Most additional templates that are read.
    static let maximumCount = 64

    static func read(_ folder: String) throws(CheckpointError) -> [String: String] {
        var result: [String: String] = [:]
        let main = folder + "/chat_template.jinja"
        if FileManager.default.fileExists(atPath: main) { result["default"] = try text(main) }
        let more = folder + "/additional_chat_templates"
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: more).sorted()) ?? []
        for entry in entries.filter({ $0.hasSuffix(".jinja") }).prefix(maximumCount) {
            result[String(entry.dropLast(".jinja".count))] = try text(more + "/" + entry)
        }
        return result
    }

    private static func text(_ path: String) throws(CheckpointError) -> String {
        let file = try MappedFile(path: path)
        guard file.bytes.count <= maximumLength else {
            throw CheckpointError(
                .malformed, file: path, "the template has \(file.bytes.count) bytes, at most \(maximumLength) are read")
        }
        guard let text = file.withBytes({ String(validating: $0.bindMemory(to: UInt8.self), as: UTF8.self) }) else {
            throw CheckpointError(.malformed, file: path, "the template is not UTF-8")
        }
        return text
    }
}

import Checkpoints
import Engine

/// A body of `POST /v1/load_lora_adapter` (vLLM) or of `POST /v1/adapters`.
package struct LoadAdapterRequest: Sendable, Equatable {
    package var name: String
    package var path: String
    package var replaces: Bool

    package init(_ body: JSONValue) throws(APIError) {
        let fields = try Fields(body)
        guard let name = try fields.first(of: "lora_name", "name"),
            let path = try fields.first(of: "lora_path", "path"), !name.isEmpty, !path.isEmpty
        else {
            throw APIError(
                status: 400, type: "InvalidUserInput",
                message: "Both 'lora_name' and 'lora_path' must be provided.")
        }
        guard name.unicodeScalars.count <= 256 else {
            throw APIError(
                status: 400, type: "InvalidUserInput", message: "'lora_name' must have at most 256 characters.")
        }
        self.name = name
        self.path = path
        let inPlace = try fields.bool("load_inplace") ?? false
        let replace = try fields.bool("replace") ?? false
        replaces = inPlace || replace
    }
}

/// A body of `POST /v1/unload_lora_adapter` (vLLM) or of `POST /v1/adapters/reload`.
package struct NamedAdapterRequest: Sendable, Equatable {
    package var name: String

    package init(_ body: JSONValue) throws(APIError) {
        let fields = try Fields(body)
        guard let name = try fields.first(of: "lora_name", "name"), !name.isEmpty else {
            throw APIError(status: 400, type: "InvalidUserInput", message: "'lora_name' must be provided.")
        }
        self.name = name
    }
}

/// A body of `POST /v1/adapters/pin`.
package struct PinAdapterRequest: Sendable, Equatable {
    package var name: String
    package var isPinned: Bool

    package init(_ body: JSONValue) throws(APIError) {
        let fields = try Fields(body)
        guard let name = try fields.string("name"), !name.isEmpty else {
            throw .badRequest("name: the field is required", parameter: "name")
        }
        self.name = name
        isPinned = try fields.bool("pinned") ?? true
    }
}

extension Fields {
    /// A text under vLLM's name of the field, or under ours.
    fileprivate func first(of name: String, _ other: String) throws(APIError) -> String? {
        if let text = try string(name) { return text }
        return try string(other)
    }
}

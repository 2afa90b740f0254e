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

/// A body of `POST /v1/unload_lora_adapter` (vLLM).
package struct UnloadAdapterRequest: Sendable, Equatable {
    package var name: String

    package init(_ body: JSONValue) throws(APIError) {
        let fields = try Fields(body)
        guard let name = try fields.first(of: "lora_name", "name"), !name.isEmpty else {
            throw APIError(status: 400, type: "InvalidUserInput", message: "'lora_name' must be provided.")
        }
        self.name = name
    }
}

/// Answers about adapters.
package enum AdapterList {
    package static func all(_ adapters: [AdapterInformation]) -> [UInt8] {
        var json = JSONBuffer()
        json.raw(#"{"object":"list","data":"#)
        json.list(adapters) { card($1, to: &$0) }
        json.raw("}")
        return json.bytes
    }

    package static func one(_ adapter: AdapterInformation) -> [UInt8] {
        var json = JSONBuffer()
        card(adapter, to: &json)
        return json.bytes
    }

    private static func card(_ adapter: AdapterInformation, to json: inout JSONBuffer) {
        json.raw(#"{"id":"#)
        json.string(adapter.name)
        json.raw(#","object":"adapter","kind":"#)
        json.string(adapter.kind)
        json.raw(#","ranks":"#)
        json.list(adapter.ranks) { $0.integer($1) }
        json.raw(#","activated":"#)
        json.raw(adapter.isActivated ? "true" : "false")
        json.raw(#","digest":"#)
        json.string(adapter.digest)
        json.raw(#","bytes":"#)
        json.integer(adapter.byteCount)
        json.raw(#","path":"#)
        json.string(adapter.path)
        json.raw(#","created":"#)
        json.integer(adapter.created)
        json.raw("}")
    }
}

extension Fields {
    /// A text under vLLM's name of the field, or under ours.
    fileprivate func first(of name: String, _ other: String) throws(APIError) -> String? {
        if let text = try string(name) { return text }
        return try string(other)
    }
}

import Engine

/// Answers of `GET /v1/models` and `GET /v1/models/{id}`, with vLLM's additions.
package enum ModelList {
    /// - Parameter adapters: names and folders of adapters, which come after the model's own names.
    package static func all(
        _ model: ModelInformation, adapters: [(name: String, path: String)] = []
    ) -> [UInt8] {
        var json = JSONBuffer()
        json.raw(#"{"object":"list","data":"#)
        let names = model.servedNames.map { (name: $0, path: String?.none) }
        json.list(names + adapters.map { (name: $0.name, path: $0.path) }) { card($1.name, model, $1.path, to: &$0) }
        json.raw("}")
        return json.bytes
    }

    package static func one(
        _ name: String, _ model: ModelInformation, adapters: [(name: String, path: String)] = []
    ) throws(APIError) -> [UInt8] {
        let adapter = model.servedNames.contains(name) ? nil : adapters.first { $0.name == name }
        if adapter == nil { try model.checkName(name) }
        var json = JSONBuffer()
        card(name, model, adapter?.path, to: &json)
        return json.bytes
    }

    /// As in vLLM, an adapter's card has its folder as root, the model as parent, and no length.
    private static func card(_ name: String, _ model: ModelInformation, _ adapter: String?, to json: inout JSONBuffer) {
        json.raw(#"{"id":"#)
        json.string(name)
        json.raw(#","object":"model","created":"#)
        json.integer(model.created)
        json.raw(#","owned_by":"martlet","root":"#)
        json.string(adapter ?? model.root)
        if adapter != nil {
            json.raw(#","parent":"#)
            json.string(model.servedNames.first ?? model.root)
        } else {
            json.raw(#","parent":null,"max_model_len":"#)
            json.integer(model.maxModelLength)
        }
        json.raw(#","permission":[]}"#)
    }
}

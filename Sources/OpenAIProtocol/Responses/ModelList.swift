import Engine

/// Answers of `GET /v1/models` and `GET /v1/models/{id}`, with vLLM's additions.
package enum ModelList {
    package static func all(_ model: ModelInformation) -> [UInt8] {
        var json = JSONBuffer()
        json.raw(#"{"object":"list","data":"#)
        json.list(model.servedNames) { card($1, model, to: &$0) }
        json.raw("}")
        return json.bytes
    }

    package static func one(_ name: String, _ model: ModelInformation) throws(APIError) -> [UInt8] {
        try model.checkName(name)
        var json = JSONBuffer()
        card(name, model, to: &json)
        return json.bytes
    }

    private static func card(_ name: String, _ model: ModelInformation, to json: inout JSONBuffer) {
        json.raw(#"{"id":"#)
        json.string(name)
        json.raw(#","object":"model","created":"#)
        json.integer(model.created)
        json.raw(#","owned_by":"martlet","root":"#)
        json.string(model.root)
        json.raw(#","parent":null,"max_model_len":"#)
        json.integer(model.maxModelLength)
        json.raw(#","permission":[]}"#)
    }
}

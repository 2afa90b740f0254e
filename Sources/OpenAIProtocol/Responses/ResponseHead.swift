/// What every object of one response repeats.
package struct ResponseHead: Sendable, Equatable {
    package var id: String
    /// Unix time.
    package var created: Int
    package var model: String

    package init(id: String, created: Int, model: String) {
        self.id = id
        self.created = created
        self.model = model
    }

    /// The start of an object, up to and including `"choices":[`.
    func opening(object: StaticString) -> [UInt8] {
        var json = JSONBuffer()
        json.raw(#"{"id":"#)
        json.string(id)
        json.raw(#","object":""#)
        json.raw(object)
        json.raw(#"","created":"#)
        json.integer(created)
        json.raw(#","model":"#)
        json.string(model)
        json.raw(#","choices":["#)
        return json.bytes
    }
}

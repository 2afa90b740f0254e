import Checkpoints

/// Bytes of a JSON text under construction: the caller writes the structure as literals, values are encoded.
package struct JSONBuffer: Sendable {
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8] = []) { self.bytes = bytes }

    package mutating func raw(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    package mutating func raw(_ text: [UInt8]) { bytes.append(contentsOf: text) }

    package mutating func string(_ text: String) { JSONWriter.append(text, to: &bytes) }

    package mutating func integer(_ value: Int) { JSONWriter.append(raw: String(value), to: &bytes) }

    package mutating func optional(_ text: String?) {
        if let text { string(text) } else { raw("null") }
    }

    package mutating func optional(_ number: Int?) {
        if let number { integer(number) } else { raw("null") }
    }

    package mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }

    /// Seconds in whole microseconds; what is no time becomes null.
    package mutating func seconds(_ value: Double) {
        guard value.isFinite, value.magnitude < 1e9 else { return raw("null") }
        JSONWriter.append(raw: "\((value * 1e6).rounded() / 1e6)", to: &bytes)
    }

    /// A log probability; what JSON cannot express becomes -9999, as in vLLM.
    package mutating func logprob(_ value: Float) {
        JSONWriter.append(raw: value.isFinite ? "\(max(value, -9999))" : "-9999.0", to: &bytes)
    }

    package mutating func integers(_ values: some Sequence<Int32>) {
        list(values) { $0.integer(Int($1)) }
    }

    package mutating func octets(_ values: [UInt8]) {
        list(values) { $0.integer(Int($1)) }
    }

    /// An array whose elements `append` writes.
    package mutating func list<Element>(
        _ values: some Sequence<Element>, _ append: (inout JSONBuffer, Element) -> Void
    ) {
        raw("[")
        var isFirst = true
        for value in values {
            if !isFirst { raw(",") }
            isFirst = false
            append(&self, value)
        }
        raw("]")
    }
}

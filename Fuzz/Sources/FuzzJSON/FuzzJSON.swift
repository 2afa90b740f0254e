import Checkpoints

/// Any bytes: reading, skipping and re-reading what was written must agree, and nothing may crash.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    let value = try? JSONValue(parsing: bytes)
    let end = endOfValue(bytes) { (reader) throws(JSONError) in try reader.skipValue() }
    precondition((end != nil) == (value != nil), "skipping and reading disagree")
    guard let value else { return 0 }
    let rawEnd = endOfValue(bytes) { (reader) throws(JSONError) in try reader.skipRawValue() }
    precondition(rawEnd == end, "skipping by brackets and skipping by syntax disagree")
    let text = value.compactText
    let again = try? JSONValue(parsing: text)
    precondition(again != nil, "what was written cannot be read")
    precondition(again?.compactText == text, "what was written reads as something else")
    return 0
}

/// Where the value ends that `skip` passes over, or nil unless it is the whole text.
private func endOfValue(
    _ bytes: UnsafeBufferPointer<UInt8>, _ skip: (inout JSONReader) throws(JSONError) -> Void
) -> Int? {
    var reader = JSONReader(bytes)
    do {
        try skip(&reader)
        let end = reader.offset
        try reader.finish()
        return end
    } catch {
        return nil
    }
}

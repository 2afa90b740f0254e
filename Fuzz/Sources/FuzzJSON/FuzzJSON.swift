import Checkpoints

/// Any bytes: reading, skipping and re-reading what was written must agree, and nothing may crash.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    let value = try? JSONValue(parsing: bytes)
    precondition(skips(bytes) == (value != nil), "skipping and reading disagree")
    guard let value else { return 0 }
    let text = value.compactText
    let again = try? JSONValue(parsing: text)
    precondition(again != nil, "what was written cannot be read")
    precondition(again?.compactText == text, "what was written reads as something else")
    return 0
}

private func skips(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    var reader = JSONReader(bytes)
    do {
        try reader.skipValue()
        try reader.finish()
        return true
    } catch {
        return false
    }
}

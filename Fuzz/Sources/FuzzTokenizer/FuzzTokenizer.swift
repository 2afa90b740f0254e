import Tokenizers

/// A tokenizer file, a zero byte, then text to encode: neither may crash, hang or exhaust the memory.
///
/// What loads must also keep its promises: the parts of a stream are the decoded text.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTokenizer(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    let cut = bytes.firstIndex(of: 0) ?? count
    guard let tokenizer = try? Tokenizer(tokenizerJSON: UnsafeBufferPointer(rebasing: bytes[..<cut])) else { return 0 }
    let fallback = "Hello wörld 123\n\n 你好 <s> it's 😀e\u{301}"
    let text = cut < count ? String(decoding: bytes[cut...].dropFirst(), as: UTF8.self) : fallback
    let ids = tokenizer.encode(text)
    let decoded = tokenizer.decode(ids)
    var decoder = StreamingDecoder(tokenizer: tokenizer, skipSpecialTokens: true)
    let parts = ids.map { decoder.append($0) }.joined() + decoder.finish()
    guard parts.utf8.elementsEqual(decoded.utf8) else { fatalError("the stream differs from the whole text") }
    return 0
}

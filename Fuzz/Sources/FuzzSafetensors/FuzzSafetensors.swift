import Checkpoints

/// The first byte chooses the reader, the rest is its file; whatever is accepted must obey the format's rules.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let file = UnsafeRawBufferPointer(start: start + 1, count: count - 1)
    switch start[0] % 6 {
    case 0: checkHeader(file)
    case 1: checkFile(withHeader: file)
    case 2: _ = try? ShardIndex(file, path: "index").files.map(checkFileName)
    case 3: checkConfig(file)
    case 4:
        guard let fields = try? ConfigFields(bytes: file, file: "config") else { return 0 }
        _ = try? GenerationConfig(fields)
        _ = try? TokenizerConfig(fields)
    default:
        guard let name = ModelLocation.HubName(String(decoding: file, as: UTF8.self)) else { return 0 }
        precondition(!name.repository.contains("..") && !(name.revision ?? "").contains("/.."))
    }
    return 0
}

/// A file of which `text` is the header and its last two bytes tell how many bytes of data follow.
private func checkFile(withHeader text: UnsafeRawBufferPointer) {
    guard text.count > 2 else { return }
    let header = text.dropLast(2)
    let data = Int(text[text.count - 1]) << 8 | Int(text[text.count - 2])
    var file: [UInt8] = []
    withUnsafeBytes(of: UInt64(header.count).littleEndian) { file.append(contentsOf: $0) }
    file.append(contentsOf: header)
    file.append(contentsOf: repeatElement(0, count: data))
    file.withUnsafeBytes(checkHeader)
}

private func checkHeader(_ file: UnsafeRawBufferPointer) {
    guard let header = try? SafetensorsHeader(file, path: "file") else { return }
    var reached: Int?
    for tensor in header.tensors {
        precondition(tensor.range.lowerBound >= 8 && tensor.range.upperBound <= file.count)
        precondition(reached == nil || reached == tensor.range.lowerBound, "a gap or an overlap")
        precondition(tensor.shape.reduce(1, *) * tensor.dtype.bits == tensor.range.count * 8, "a wrong size")
        reached = tensor.range.upperBound
    }
    precondition(reached == nil || reached == file.count, "bytes left over")
}

private func checkFileName(_ name: String) {
    precondition(!name.contains("/") && name != "..", "a shard outside of the folder")
}

private func checkConfig(_ file: UnsafeRawBufferPointer) {
    guard let fields = try? ConfigFields(bytes: file, file: "config"), let config = try? ModelConfig(fields) else {
        return
    }
    precondition(config.headCount % config.keyValueHeadCount == 0 && config.headDimension > 0)
    for layer in 0..<config.layerCount {
        precondition(config.slidingWindow(layer: layer) ?? 1 > 0)
        let rotated = config.rope(layer: layer)?.rotaryDimension(headDimension: config.headDimension) ?? 2
        precondition((2...max(2, config.headDimension)).contains(rotated) && rotated % 2 == 0)
    }
}

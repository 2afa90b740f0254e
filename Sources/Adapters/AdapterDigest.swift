import Checkpoints

/// Identity of an adapter: a hash of everything that its effects are made of, wherever it was loaded from.
///
/// Covers the activation, and of each effect the module, the numbers, and the shape, type and bytes of its tensors; the
/// order is by module name, so neither file order nor JSON order counts. O(bytes).
package struct AdapterDigest: Sendable, Hashable, CustomStringConvertible {
    /// 32 bytes.
    package let bytes: [UInt8]

    /// In hexadecimal digits.
    package var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    init(_ effects: AdapterEffects, _ activation: AdapterActivation) {
        var writer = DigestWriter()
        writer.text("martlet adapter 1")
        writer.add(activation)
        writer.each("delta", effects.deltas.sorted { $0.module < $1.module }) { writer, delta in
            writer.text(delta.module)
            writer.number(delta.scale)
            writer.tensors([delta.down, delta.up, delta.bias, delta.magnitude])
        }
        writer.each("scale", effects.scales.sorted { $0.module < $1.module }) { writer, scale in
            writer.text(scale.module)
            writer.text(scale.side.rawValue)
            writer.tensors([scale.factors])
        }
        let replacements = effects.replacements.sorted {
            ($0.module, $0.parameter.rawValue) < ($1.module, $1.parameter.rawValue)
        }
        writer.each("replacement", replacements) { writer, replacement in
            writer.text(replacement.module)
            writer.text(replacement.parameter.rawValue)
            writer.tensors([replacement.values])
        }
        writer.each("rows", effects.tokenRows.sorted { $0.module < $1.module }) { writer, rows in
            writer.text(rows.module)
            writer.integer(rows.changesHead ? 1 : 0)
            writer.tokens(rows.tokens)
            writer.tensors([rows.rows])
        }
        writer.each("embeddings", effects.promptEmbeddings?.tasks ?? []) { $0.tensors([$1]) }
        writer.each("prefix", [effects.prefix].compactMap(\.self)) { $0.tensors([$1.values]) }
        bytes = writer.finish()
    }
}

/// Writes values so that different ones never give the same bytes: with lengths before everything.
private struct DigestWriter: ~Copyable {
    private var hash = SHA256()

    mutating func integer(_ value: Int) { withUnsafeBytes(of: Int64(value).littleEndian) { hash.add($0) } }
    mutating func number(_ value: Double) { withUnsafeBytes(of: value.bitPattern.littleEndian) { hash.add($0) } }

    mutating func text(_ text: String) {
        integer(text.utf8.count)
        var text = text
        text.withUTF8 { hash.add(UnsafeRawBufferPointer($0)) }
    }

    mutating func tokens(_ tokens: [Int32]) {
        integer(tokens.count)
        for token in tokens { integer(Int(token)) }
    }

    mutating func tensors(_ tensors: [TensorView?]) {
        for tensor in tensors {
            guard let tensor else {
                integer(0)
                continue
            }
            integer(1)
            text(tensor.dtype.rawValue)
            integer(tensor.shape.count)
            for size in tensor.shape { integer(size) }
            tensor.withBytes { hash.add($0) }
        }
    }

    mutating func add(_ activation: AdapterActivation) {
        switch activation {
        case .always: text("always")
        case .afterTokens(let tokens, let offset):
            text("tokens")
            self.tokens(tokens)
            integer(offset)
        case .afterText(let invocation, let offset):
            text("text")
            text(invocation)
            integer(offset)
        }
    }

    mutating func each<T>(_ name: String, _ values: [T], _ body: (inout DigestWriter, T) -> Void) {
        text(name)
        integer(values.count)
        for value in values { body(&self, value) }
    }

    consuming func finish() -> [UInt8] { hash.finish() }
}

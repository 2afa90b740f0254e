import Checkpoints

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Writes a safetensors file of bfloat16 tensors: ones for norms, random numbers for everything else.
struct SafetensorsWriter {
    struct Tensor {
        let name: String
        let shape: [Int]
        let isNorm: Bool

        init(_ name: String, _ shape: [Int], isNorm: Bool = false) {
            self.name = name
            self.shape = shape
            self.isNorm = isNorm
        }

        var byteCount: Int { 2 * shape.reduce(1, *) }
    }

    let tensors: [Tensor]
    /// Where in the random numbers every tensor begins: other starts, other contents.
    let start: Int

    init(tensors: [Tensor], start: Int = 0) {
        self.tensors = tensors
        self.start = start
    }

    /// Random numbers are drawn once for this many elements and repeated; prime, so that no two rows are alike.
    private static let period = 1_048_573
    /// Spread of the random weights, as common initialisations have it.
    private static let spread: Float = 0.035

    func write(to path: String) throws {
        guard let file = fopen(path, "wb") else { throw failure(path) }
        defer { fclose(file) }
        let header = header
        var length = UInt64(header.count).littleEndian
        let first = start % Self.period
        let weights = Array(Self.randomBlock[first...] + Self.randomBlock[..<first])
        let ones = [UInt16](repeating: 0x3F80, count: 1 << 14)
        var isWritten = fwrite(&length, 8, 1, file) == 1 && fwrite(header, 1, header.count, file) == header.count
        for tensor in tensors {
            var rest = tensor.byteCount / 2
            let block = tensor.isNorm ? ones : weights
            while rest > 0, isWritten {
                let count = min(rest, block.count)
                isWritten = fwrite(block, 2, count, file) == count
                rest -= count
            }
        }
        guard isWritten, fflush(file) == 0 else { throw failure(path) }
    }

    private var header: [UInt8] {
        var entries = JSONObject()
        var offset = 0
        for tensor in tensors {
            entries[tensor.name] = [
                "dtype": "BF16", "shape": .array(tensor.shape.map(JSONValue.int)),
                "data_offsets": [.int(offset), .int(offset + tensor.byteCount)],
            ]
            offset += tensor.byteCount
        }
        var bytes = Array(JSONValue.object(entries).compactText.utf8)
        bytes += repeatElement(UInt8(ascii: " "), count: (8 - bytes.count % 8) % 8)
        return bytes
    }

    private static let randomBlock: [UInt16] = {
        var generator = SplitMix64(state: 0x6D61_7274)
        return (0..<period).map { _ in
            let value = Float.random(in: -spread...spread, using: &generator)
            return UInt16(truncatingIfNeeded: value.bitPattern >> 16)
        }
    }()

    private func failure(_ path: String) -> SyntheticModelError {
        SyntheticModelError(
            description:
                "\(path) cannot be written: \(String(cString: strerror(errno))). Set TMPDIR to a folder with more room."
        )
    }
}

/// Why a model could not be written, and what to do about it.
package struct SyntheticModelError: Error, CustomStringConvertible {
    package let description: String
}

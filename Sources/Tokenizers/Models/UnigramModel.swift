/// SentencePiece's unigram model: the segmentation with the best sum of scores (Viterbi), as HuggingFace
/// `tokenizers` runs it: unknown scalars are fused, then spelled in bytes where the vocabulary can.
final class UnigramModel: Sendable {
    let vocabulary: Vocabulary
    private let trie: ByteTrie
    private let scores: FlatBuffer<Double>
    private let unknownScore: Double
    private let unknownID: Int32
    private let fallsBackToBytes: Bool
    private let fallback: [Int32]

    private static let unknownPenalty = 10.0

    init(_ vocabulary: Vocabulary, scores: [Double], _ field: Field) throws(TokenizerError) {
        self.vocabulary = vocabulary
        if let unknown = field["unk_id"] {
            guard !scores.isEmpty else { throw unknown.fail("the vocabulary is empty") }
            unknownID = Int32(try unknown.int(in: 0...scores.count - 1))
        } else {
            unknownID = -1
        }
        fallsBackToBytes = try field.bool("byte_fallback", default: false)
        unknownScore = (scores.min() ?? 0) - Self.unknownPenalty
        self.scores = FlatBuffer(scores, with: 0)
        var trie = ByteTrieBuilder()
        for id in 0..<Int32(scores.count) {
            // Of two equal tokens only the later one has an entry.
            guard let (bytes, isLiteral) = vocabulary.bytes(of: id), !isLiteral, !bytes.isEmpty else { continue }
            trie.insert(bytes, value: id)
        }
        self.trie = ByteTrie(trie)
        fallback = (0..<256).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return vocabulary.id(ofText: "<0x" + (byte < 16 ? "0" : "") + digits + ">") ?? -1
        }
    }

    /// O(length × longest token).
    func encode(_ text: ScalarText, into ids: inout [Int32], _ space: Workspace) {
        if text.count <= WordCache.longestWord {
            let key = space.cache.key(text.base, text.count)
            if space.cache.append(key, to: &ids) { return }
            let start = ids.count
            segment(text, into: &ids, space)
            space.cache.remember(key, ids, from: start)
        } else {
            segment(text, into: &ids, space)
        }
    }

    private func segment(_ text: ScalarText, into ids: inout [Int32], _ space: Workspace) {
        findBestPath(text, space)
        let path = tracePath(text.count, space)
        var index = path.count - 1
        while index >= 0 {
            let (start, end, id) = path[index]
            index -= 1
            if id != unknownID {
                ids.append(id)
                continue
            }
            var unknownEnd = end
            while index >= 0, path[index].id == unknownID {
                unknownEnd = path[index].end
                index -= 1
            }
            if id >= 0 { appendUnknown(text, start, unknownEnd, into: &ids) }
        }
    }

    /// Best score and last token of every prefix, into the workspace.
    private func findBestPath(_ text: ScalarText, _ space: Workspace) {
        let size = text.count + 1
        if space.scores.count < size {
            space.scores = [Double](repeating: 0, count: size)
            space.steps = [(start: Int32, id: Int32)](repeating: (-1, -1), count: size)
        }
        space.scores.withUnsafeMutableBufferPointer { best in
            space.steps.withUnsafeMutableBufferPointer { steps in
                for position in 0..<size {
                    best[position] = 0
                    steps[position] = (-1, -1)
                }
                var start = 0
                while start < text.count {
                    let next = text.scalar(at: start).next
                    relax(text, start, next, best, steps)
                    start = next
                }
            }
        }
    }

    @inline(__always)
    private func relax(
        _ text: ScalarText, _ start: Int, _ next: Int, _ best: UnsafeMutableBufferPointer<Double>,
        _ steps: UnsafeMutableBufferPointer<(start: Int32, id: Int32)>
    ) {
        let scoreHere = best[start]
        var coversScalar = false
        var node = ByteTrie.root
        var position = start
        while position < text.count, let child = trie.child(of: node, text.base[position]) {
            node = child
            position &+= 1
            let id = trie.value(of: node)
            guard id >= 0 else { continue }
            let score = scores.base[Int(id)] + scoreHere
            if steps[position].start < 0 || score > best[position] {
                best[position] = score
                steps[position] = (Int32(truncatingIfNeeded: start), id)
            }
            if position == next { coversScalar = true }
        }
        if !coversScalar {
            let score = unknownScore + scoreHere
            if steps[next].start < 0 || score > best[next] {
                best[next] = score
                steps[next] = (Int32(truncatingIfNeeded: start), unknownID)
            }
        }
    }

    /// The best segmentation from its end to its start.
    private func tracePath(_ count: Int, _ space: Workspace) -> [(start: Int, end: Int, id: Int32)] {
        var path: [(start: Int, end: Int, id: Int32)] = []
        var end = count
        while end > 0 {
            let step = space.steps[end]
            path.append((Int(step.start), end, step.id))
            end = Int(step.start)
        }
        return path
    }

    /// A run of unknown scalars: its own token if there is one, its bytes if all have one, else the unknown token.
    private func appendUnknown(_ text: ScalarText, _ start: Int, _ end: Int, into ids: inout [Int32]) {
        if let id = vocabulary.id(text.base + start, end - start) { return ids.append(id) }
        if fallsBackToBytes {
            let bytes = UnsafeBufferPointer(start: text.base + start, count: end - start)
            let spelled = text.form == .byteLevel ? ByteAlphabet.spell(bytes) : Array(bytes)
            if spelled.allSatisfy({ fallback[Int($0)] >= 0 }) {
                for byte in spelled { ids.append(fallback[Int(byte)]) }
                return
            }
        }
        ids.append(unknownID)
    }
}

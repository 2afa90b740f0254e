/// Byte-pair encoding as HuggingFace `tokenizers` runs it: merges by rank, byte fallback, unknown tokens, affixes.
final class BytePairModel: Sendable {
    struct Options: Sendable {
        var unknownToken: String?
        var continuingPrefix: [UInt8] = []
        var wordSuffix: [UInt8] = []
        var fusesUnknown = false
        var fallsBackToBytes = false
        var ignoresMerges = false
    }

    let vocabulary: Vocabulary
    private let merges: MergeTable
    private let options: Options
    private let unknownID: Int32
    /// Ids of the 256 bytes in a byte-level vocabulary, of the ASCII scalars otherwise; -1 where there is none.
    private let singles: FlatBuffer<Int32>
    /// Ids of `<0x00>`...`<0xFF>`, -1 where there is none.
    private let fallback: FlatBuffer<Int32>
    private let isPlainByteLevel: Bool
    /// No merge crosses from another scalar to U+2581, so that the words of a SentencePiece text are independent.
    private let splitsAtMarker: Bool

    private static let none: Int32 = -1

    init(_ vocabulary: Vocabulary, _ merges: [(left: Int32, right: Int32, merged: Int32)], _ options: Options) {
        self.vocabulary = vocabulary
        self.merges = MergeTable(merges)
        self.options = options
        unknownID = options.unknownToken.flatMap(vocabulary.id(ofText:)) ?? Self.none
        singles = FlatBuffer(repeating: Self.none, count: 256)
        fallback = FlatBuffer(repeating: Self.none, count: 256)
        for byte in 0..<(vocabulary.form == .byteLevel ? 256 : 128) {
            singles.base[byte] = vocabulary.id([UInt8(byte)], isLiteral: false) ?? Self.none
        }
        for byte in 0..<256 {
            let digits = String(byte, radix: 16, uppercase: true)
            let name = "<0x" + (byte < 16 ? "0" : "") + digits + ">"
            fallback.base[byte] = vocabulary.id(ofText: name) ?? Self.none
        }
        let hasAffixes = !options.continuingPrefix.isEmpty || !options.wordSuffix.isEmpty
        isPlainByteLevel = vocabulary.form == .byteLevel && !hasAffixes && !options.fallsBackToBytes && unknownID < 0
        let coversBytes = (0..<256).allSatisfy { [fallback] in fallback.base[$0] >= 0 }
        splitsAtMarker =
            vocabulary.form == .utf8 && !hasAffixes && !options.ignoresMerges
            && (coversBytes || !options.fallsBackToBytes) && vocabulary.id(ofText: "\u{2581}") != nil
            && !merges.contains { Self.hasInnerMarker(vocabulary.bytes(of: $0.merged)?.bytes) }
    }

    /// Whether a token has U+2581 right behind another scalar.
    private static func hasInnerMarker(_ bytes: UnsafeBufferPointer<UInt8>?) -> Bool {
        guard let bytes, let base = bytes.baseAddress else { return false }
        return nextMarker(base, from: 0, end: bytes.count) < bytes.count
    }

    /// The first U+2581 after `start` that follows another scalar, or `end`.
    @inline(__always)
    private static func nextMarker(_ base: UnsafePointer<UInt8>, from start: Int, end: Int) -> Int {
        var position = start
        var afterMarker = true
        while position < end {
            let byte = base[position]
            if byte == 0xE2, position &+ 2 < end, base[position &+ 1] == 0x96, base[position &+ 2] == 0x81 {
                if !afterMarker { return position }
                position &+= 3
            } else {
                afterMarker = false
                position &+= 1
            }
        }
        return end
    }

    /// Appends the ids of one piece of text; the memory must be readable 32 bytes past its end.
    @inline(__always)
    func encode(_ text: ScalarText, into ids: inout [Int32], _ space: Workspace) {
        if splitsAtMarker {
            var start = 0
            while start < text.count {
                let end = Self.nextMarker(text.base, from: start, end: text.count)
                encodeWord(text.base + start, end - start, into: &ids, space)
                start = end
            }
        } else {
            encodeWord(text.base, text.count, into: &ids, space)
        }
    }

    @inline(__always)
    private func encodeWord(_ base: UnsafePointer<UInt8>, _ count: Int, into ids: inout [Int32], _ space: Workspace) {
        if count <= WordCache.longestWord {
            let key = space.cache.key(base, count)
            if space.cache.append(key, to: &ids) { return }
            let start = ids.count
            mergeWord(base, count, into: &ids, space)
            space.cache.remember(key, ids, from: start)
        } else {
            mergeWord(base, count, into: &ids, space)
        }
    }

    @inline(never)
    private func mergeWord(_ base: UnsafePointer<UInt8>, _ count: Int, into ids: inout [Int32], _ space: Workspace) {
        if options.ignoresMerges, let id = vocabulary.id(base, count) {
            ids.append(id)
            return
        }
        let symbols = space.merging
        if isPlainByteLevel {
            symbols.reset(capacity: count)
            for position in 0..<count {
                let id = singles.base[Int(base[position])]
                if id >= 0 { symbols.append(id) }
            }
        } else {
            symbols.reset(capacity: 4 * count + options.continuingPrefix.count * count + options.wordSuffix.count)
            appendSymbols(ScalarText(base: base, count: count, form: vocabulary.form), to: symbols)
        }
        symbols.merge(merges, into: &ids)
    }

    /// The symbols of a word before merging, scalar by scalar; a run of unknown scalars is held back to be fused.
    private func appendSymbols(_ word: ScalarText, to symbols: MergeSpace) {
        var pendingUnknown = false
        var position = 0
        while position < word.count {
            let next = word.scalar(at: position).next
            let id = symbolID(word, position, next)
            if id >= 0 {
                if pendingUnknown { symbols.append(unknownID) }
                pendingUnknown = false
                symbols.append(id)
            } else if !(options.fallsBackToBytes && appendBytes(word, position, next, to: symbols)), unknownID >= 0 {
                if pendingUnknown, !options.fusesUnknown { symbols.append(unknownID) }
                pendingUnknown = true
            }
            position = next
        }
        if pendingUnknown { symbols.append(unknownID) }
    }

    private func symbolID(_ word: ScalarText, _ start: Int, _ end: Int) -> Int32 {
        let takesPrefix = start > 0 && !options.continuingPrefix.isEmpty
        let takesSuffix = end == word.count && !options.wordSuffix.isEmpty
        if !takesPrefix, !takesSuffix {
            if end - start == 1, word.form == .byteLevel || word.base[start] < 0x80 {
                return singles.base[Int(word.base[start])]
            }
            return vocabulary.id(word.base + start, end - start) ?? Self.none
        }
        var bytes = takesPrefix ? options.continuingPrefix : []
        bytes.append(contentsOf: UnsafeBufferPointer(start: word.base + start, count: end - start))
        if takesSuffix { bytes += options.wordSuffix }
        return vocabulary.id(bytes, isLiteral: false) ?? Self.none
    }

    /// Appends a scalar, with its affixes, byte by byte; false when one of the bytes has no token.
    private func appendBytes(_ word: ScalarText, _ start: Int, _ end: Int, to symbols: MergeSpace) -> Bool {
        var bytes = start > 0 ? options.continuingPrefix : []
        bytes.append(contentsOf: UnsafeBufferPointer(start: word.base + start, count: end - start))
        if end == word.count { bytes += options.wordSuffix }
        if word.form == .byteLevel { bytes = ByteAlphabet.spell(bytes) }
        guard bytes.allSatisfy({ fallback.base[Int($0)] >= 0 }) else { return false }
        for byte in bytes { symbols.append(fallback.base[Int(byte)]) }
        return true
    }
}

/// BERT's text cleaning: controls out, white space to spaces, Chinese characters apart, accents and case away.
struct BertNormalizer: Sendable {
    let cleansText: Bool
    let separatesChinese: Bool
    let stripsAccents: Bool
    let lowercases: Bool

    init(_ field: Field) throws(TokenizerError) {
        cleansText = try field.bool("clean_text", default: true)
        separatesChinese = try field.bool("handle_chinese_chars", default: true)
        lowercases = try field.bool("lowercase", default: true)
        stripsAccents = try field.bool("strip_accents", default: lowercases)
    }

    private static let controls = ScalarSet(UnicodeData.closedRanges(UnicodeData.bertControls))
    private static let accents = ScalarSet(UnicodeData.closedRanges(UnicodeData.bertAccents))

    private static func isChinese(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }

    func apply(to segment: SegmentSpace) {
        if cleansText || separatesChinese {
            segment.rewrite { scalar, output in
                if cleansText {
                    if Self.controls.contains(scalar) { return }
                    if CategoryTable.shared.contains(scalar, in: .space) { return output.append(0x20) }
                }
                if separatesChinese, Self.isChinese(scalar) {
                    output.append(0x20)
                    output.append(scalar: scalar)
                    output.append(0x20)
                } else {
                    output.append(scalar: scalar)
                }
            }
        }
        if stripsAccents {
            segment.normalize(.canonicalDecomposed)
            segment.rewrite { scalar, output in
                if !Self.accents.contains(scalar) { output.append(scalar: scalar) }
            }
        }
        if lowercases { segment.rewrite { CaseTable.shared.append(lowercaseOf: $0, to: &$1) } }
    }
}

extension SegmentSpace {
    /// Replaces the text by what `body` writes for each scalar.
    ///
    /// When nothing is written for the first scalar, the text no longer begins where the input does.
    @inline(__always)
    func rewrite(_ body: (UInt32, inout ByteBuffer) -> Void) {
        // Outside of the object for the loop, so that access to it is not checked for every scalar.
        var output = ByteBuffer(capacity: 0)
        swap(&output, &otherText)
        output.removeAll()
        let base = text.base
        let count = text.count
        var position = 0
        while position < count {
            let (scalar, next) = UTF8Scalars.decode(base, position)
            body(scalar, &output)
            if position == 0, output.count == 0 { startsAtOrigin = false }
            position = next
        }
        swap(&output, &otherText)
        swapText()
    }

    func normalize(_ form: NormalizationForm) {
        otherText.removeAll()
        if form.apply(text.base, text.count, to: &otherText) { swapText() }
    }
}

/// The normalisation of a tokenizer: its steps in order.
struct Normalizer: Sendable {
    enum Step: Sendable {
        case form(NormalizationForm)
        case lowercase
        case stripAccents
        case bert(BertNormalizer)
        case replace(Replacement)
        case prepend([UInt8])
        case strip(left: Bool, right: Bool)
        case nmt
        case map(CharacterMap)
    }

    private var steps: [Step] = []
    /// How text looks behind the last step; a ByteLevel step must be the last one.
    private(set) var outputForm: TextForm = .utf8

    static let maximumSteps = 256
    private static let marks = ScalarSet(UnicodeData.closedRanges(UnicodeData.combiningMarks))

    init(_ field: Field?) throws(TokenizerError) {
        if let field { try append(field, depth: 0) }
    }

    private mutating func append(_ field: Field, depth: Int) throws(TokenizerError) {
        guard depth < 32, steps.count < Self.maximumSteps else { throw field.fail("too many nested normalizers") }
        let type = try field.type()
        if type == "Sequence" {
            for step in try field.required("normalizers").array() { try append(step, depth: depth + 1) }
            return
        }
        guard outputForm == .utf8 else { throw field.fail("a normalizer behind ByteLevel is not supported") }
        switch type {
        case "NFC", "NFD", "NFKC", "NFKD": if let form = NormalizationForm(rawValue: type) { steps.append(.form(form)) }
        case "Lowercase": steps.append(.lowercase)
        case "StripAccents": steps.append(.stripAccents)
        case "BertNormalizer": steps.append(.bert(try BertNormalizer(field)))
        case "Replace": steps.append(.replace(try Replacement(field)))
        case "Prepend": steps.append(.prepend(Array(try field.required("prepend").string().utf8)))
        case "Strip":
            steps.append(
                .strip(
                    left: try field.bool("strip_left", default: true),
                    right: try field.bool("strip_right", default: true)))
        case "Nmt": steps.append(.nmt)
        case "Precompiled":
            let source = try field.required("precompiled_charsmap")
            let map = try CharacterMap(source)
            guard map.isWellFormed else { throw source.fail("a replacement is not valid UTF-8") }
            steps.append(.map(map))
        case "ByteLevel": outputForm = .byteLevel
        default: throw field.unknownType(type, kind: "normalizer")
        }
    }

    /// Normalises the segment's text in place.
    func normalize(_ segment: SegmentSpace) {
        for step in steps where segment.text.count > 0 {
            switch step {
            case .form(let form): segment.normalize(form)
            case .lowercase: segment.rewrite { CaseTable.shared.append(lowercaseOf: $0, to: &$1) }
            case .stripAccents:
                segment.rewrite { scalar, output in
                    if !Self.marks.contains(scalar) { output.append(scalar: scalar) }
                }
            case .bert(let bert): bert.apply(to: segment)
            case .replace(let replacement):
                segment.otherText.removeAll()
                replacement.apply(segment.text.base, segment.text.count, to: &segment.otherText)
                segment.swapText()
            case .prepend(let text):
                segment.otherText.removeAll()
                segment.otherText.append(text)
                segment.otherText.append(segment.text.base, count: segment.text.count)
                segment.swapText()
            case .strip(let left, let right): Self.strip(segment, left, right)
            case .nmt: segment.rewrite { Self.appendNMT($0, to: &$1) }
            case .map(let map): map.apply(to: segment)
            }
        }
    }

    /// A whole text normalised, in the output form.
    func normalize(_ text: String) -> [UInt8] {
        if steps.isEmpty { return Array(text.utf8) }
        let segment = SegmentSpace()
        segment.text.append(Array(text.utf8))
        normalize(segment)
        return Array(UnsafeBufferPointer(start: segment.text.base, count: segment.text.count))
    }

    private static func strip(_ segment: SegmentSpace, _ left: Bool, _ right: Bool) {
        let text = ScalarText(base: segment.text.base, count: segment.text.count, form: .utf8)
        var start = 0
        var end = text.count
        while left, start < end {
            let (scalar, next) = text.scalar(at: start)
            guard CategoryTable.shared.contains(scalar, in: .space) else { break }
            start = next
        }
        while right, end > start {
            let (scalar, before) = text.scalar(before: end)
            guard CategoryTable.shared.contains(scalar, in: .space) else { break }
            end = before
        }
        guard start > 0 || end < text.count else { return }
        if start > 0 { segment.startsAtOrigin = false }
        segment.otherText.removeAll()
        segment.otherText.append(text.base + start, count: end - start)
        segment.swapText()
    }

    /// The rules of SentencePiece's `nmt` normalisation: controls out, odd spaces to a plain one.
    private static func appendNMT(_ scalar: UInt32, to output: inout ByteBuffer) {
        switch scalar {
        case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: return
        case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD:
            output.append(0x20)
        default: output.append(scalar: scalar)
        }
    }
}

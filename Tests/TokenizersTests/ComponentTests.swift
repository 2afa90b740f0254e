import Checkpoints
import Testing

@testable import Tokenizers

/// Single components against what the reference makes of the same texts.
@Suite struct ComponentTests {
    private func field(_ element: JSONValue) throws -> Field {
        Field(value: try #require(element["config"]), path: "config")
    }

    @Test func `pre-tokenizers cut like the reference`() throws {
        for element in try Fixture.array("pre_tokenizers.json") {
            let preTokenizer = try PreTokenizer(field(element), form: .utf8)
            for testCase in element["cases"]?.array ?? [] {
                let text = testCase.array?.first?.string ?? ""
                let segment = SegmentSpace()
                segment.text.append(Array(text.utf8))
                preTokenizer.split(segment)
                let pieces = segment.pieces.map { piece in
                    let bytes = (piece.start..<piece.end).map { segment.text.base[$0] }
                    let spelled = preTokenizer.outputForm == .byteLevel ? ByteAlphabet.spell(bytes) : bytes
                    return String(decoding: spelled, as: UTF8.self)
                }
                let expected = testCase.array?.last?.strings ?? []
                #expect(
                    Self.equal(pieces, expected), "\(element["config"]?.compactText ?? "") on \(text.debugDescription)")
            }
        }
    }

    @Test func `normalizers write what the reference writes`() throws {
        for element in try Fixture.array("normalizers.json") {
            let normalizer = try Normalizer(field(element))
            for testCase in element["cases"]?.array ?? [] {
                let text = testCase.array?.first?.string ?? ""
                let bytes = normalizer.normalize(text)
                let spelled = normalizer.outputForm == .byteLevel ? ByteAlphabet.spell(bytes) : bytes
                let expected = Array((testCase.array?.last?.string ?? "").utf8)
                #expect(
                    spelled == expected,
                    "\(element["config"]?.compactText.prefix(200) ?? "") on \(text.debugDescription)")
            }
        }
    }

    @Test func `decoders join tokens like the reference`() throws {
        for element in try Fixture.array("decoders.json") {
            let plan = try DecoderPlan(field(element))
            for testCase in element["cases"]?.array ?? [] {
                let tokens = testCase.array?.first?.strings ?? []
                var states = DecoderState.states(plan)
                var text: [UInt8] = []
                states.withUnsafeMutableBufferPointer { states in
                    for token in tokens { StreamingDecoder.push(Array(token.utf8), 0, states, &text) }
                    for index in states.indices {
                        states[index].finish { StreamingDecoder.push($0, index + 1, states, &text) }
                    }
                }
                let expected = Array((testCase.array?.last?.string ?? "").utf8)
                #expect(text == expected, "\(element["config"]?.compactText ?? "") on \(tokens)")
            }
        }
    }

    /// Equal scalar by scalar; `==` on strings would take canonical equivalents for equal.
    private static func equal(_ left: [String], _ right: [String]) -> Bool {
        left.map { Array($0.utf8) } == right.map { Array($0.utf8) }
    }
}

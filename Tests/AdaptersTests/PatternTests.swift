import Checkpoints
import Testing

@testable import Adapters

@Suite struct PatternTests {
    private func full(_ pattern: String, _ path: String) throws -> Bool {
        var budget = MatchBudget(file: "test")
        return try ModulePattern(fullMatch: pattern).matches(path, &budget)
    }

    private func key(_ pattern: String, _ path: String) throws -> Bool {
        var budget = MatchBudget(file: "test")
        return try ModulePattern(key: pattern).matches(path, &budget)
    }

    /// Expectations are `re.fullmatch(pattern, path) is not None` of Python 3.11.
    @Test(arguments: [
        ("a", "a", true), ("a", "ab", false), ("a|ab", "ab", true), ("(a|ab)(c|bcd)", "abcd", true), ("", "", true),
        ("a*", "aaa", true), ("a+", "", false), ("a?b", "b", true), ("a{2}", "aa", true), ("a{2}", "aaa", false),
        ("a{2,}", "aaaa", true), ("a{,2}", "aaa", false), ("a{,2}", "", true), ("a{1,3}?", "aaa", true),
        ("a{x}", "a{x}", true), ("[^.]+", "a.b", false), ("[]a]+", "]a", true), ("[a-c-]+", "a-c", true),
        (#"\d+"#, "12", true), (#"[\d.]+"#, "1.2", true), (#"\w+\.\w+"#, "a_1.b", true), (#"\Aa\Z"#, "a", true),
        (#"\bmodel\.layers\.[\d]{1,}\.(?:self_attn|mlp)\.(?:q_proj|up_proj)"#, "model.layers.12.mlp.up_proj", true),
        (#".*?(?:q|k)_proj$"#, "model.layers.0.q_proj", true), (#"^.*\.layers\.[02]\..*"#, "m.layers.1.q", false),
        (#"(?P<layer>x\.)*y"#, "x.x.y", true), ("(|a)+b", "aab", true), ("a$b", "ab", false), ("(a*)*b", "aaab", true),
        (#"a\Bb"#, "ab", true), (#"\-\_\."#, "-_.", true),
    ])
    func fullMatches(_ pattern: String, _ path: String, _ expected: Bool) throws {
        #expect(try full(pattern, path) == expected)
    }

    @Test func keys() throws {
        let path = "model.layers.1.self_attn.q_proj"
        for pattern in ["q_proj", "self_attn.q_proj", "^model.*", #"layers\.[1-3]\..*_proj"#, "q_proj|k_proj", ".*"] {
            #expect(try key(pattern, path), "\(pattern)")
        }
        for pattern in ["proj", "k_proj", "^q_proj", "q_pro", "layers", #"layers\.[2-3]\..*"#] {
            #expect(try !key(pattern, path), "\(pattern)")
        }
    }

    @Test(arguments: [
        ("(", false), (")", false), ("a**", false), ("*a", false), ("[a", false), ("a\\", false), ("a{3,2}", false),
        ("[z-a]", false), ("(?=a)", true), ("(?<!a)", true), (#"(a)\1"#, true), ("(?i)a", true), ("a++", true),
        ("é", true), (#"\p{L}"#, true), ("a{2000}", true), ("(((a{1000}){1000}){1000})", true),
        (String(repeating: "(", count: 200) + String(repeating: ")", count: 200), true),
        (String(repeating: "a", count: 30_000), true),
    ])
    func refused(_ pattern: String, _ isUnsupported: Bool) {
        #expect { try ModulePattern(fullMatch: pattern) } throws: {
            ($0 as? ModulePattern.Failure)?.isUnsupported == isUnsupported
        }
    }

    /// Patterns that take for ever with back-tracking, or with naive unrolling.
    @Test(arguments: [
        "(a+)+b", "(a|a)*b", "(.*a){20}b", "(a?){500}a{40}b", "((((){1000}){1000}){1000}){1000}", "(|){900}(a|){900}b",
    ])
    func bombs(_ pattern: String) throws {
        var budget = MatchBudget(file: "test")
        #expect(try !ModulePattern(fullMatch: pattern).matches(String(repeating: "a", count: 60), &budget))
    }

    @Test func budgetEnds() throws {
        let pattern = try ModulePattern(fullMatch: "(.*a){900}b")
        let path = String(repeating: "a", count: 20_000)
        #expect(throws: CheckpointError.self) {
            var budget = MatchBudget(file: "test")
            for _ in 0..<100 { _ = try pattern.matches(path, &budget) }
        }
    }
}

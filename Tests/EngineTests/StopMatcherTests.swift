import Engine
import Testing

@Suite struct StopMatcherTests {
    /// Feeds `pieces` one after another; what was passed on, and what ended it.
    private func run(_ pieces: [String], stops: [String], includesStop: Bool = false) -> (text: String, stop: String?) {
        var matcher = StopMatcher(stops, includesStop: includesStop)
        var text = ""
        for piece in pieces {
            let result = matcher.append(piece)
            text += result.text
            if let stop = result.stop { return (text, stop) }
        }
        return (text + matcher.flush(), nil)
    }

    @Test func findsStopsAcrossPieces() {
        let result = run(["one t", "w", "o three"], stops: ["two"])
        #expect(result.text == "one ")
        #expect(result.stop == "two")
    }

    @Test func includesTheStopWhenAsked() {
        #expect(run(["abcd"], stops: ["bc"], includesStop: true).text == "abc")
    }

    @Test func earliestStopWins() {
        let result = run(["a b c"], stops: ["c", "b"])
        #expect(result.text == "a ")
        #expect(result.stop == "b")
    }

    @Test func nothingIsHeldBackWithoutReason() {
        var matcher = StopMatcher(["END"], includesStop: false)
        #expect(matcher.append("hello").text == "hello")
        #expect(matcher.append(" E").text == " ")
        #expect(matcher.append("x").text == "Ex")
        #expect(matcher.append("EN").text == "")
        #expect(matcher.flush() == "EN")
    }

    @Test func overlappingBeginningsAreFound() {
        #expect(run(["aa", "ab"], stops: ["aab"]).text == "a")
        #expect(run(["ababa", "bc"], stops: ["ababc"]).text == "ab")
    }

    @Test func matchesBytesNotEquivalents() {
        #expect(run(["cafe\u{301}"], stops: ["caf\u{E9}"]).stop == nil)
        #expect(run(["日本", "語です"], stops: ["語"]).text == "日本")
    }

    @Test(arguments: 0..<200)
    func piecesDoNotMatter(seed: Int) {
        var random = Seeded(seed: UInt64(seed))
        let text = String((0..<60).map { _ in "abc".randomElement(using: &random) ?? "a" })
        let stops = (0..<2).map { _ in
            String((0..<Int.random(in: 1...5, using: &random)).map { _ in "abc".randomElement(using: &random) ?? "a" })
        }
        let pieces = text.split(separator: "b", omittingEmptySubsequences: false).map { "\($0)b" }
        let whole = run([pieces.joined()], stops: stops)
        let parts = run(pieces.joined().map(String.init), stops: stops)
        let ends = stops.compactMap { stop in pieces.joined().range(ofText: stop) }
        #expect(whole.stop != nil || ends.isEmpty)
        #expect(parts.stop != nil || ends.isEmpty)
        if whole.stop == nil { #expect(parts.text == whole.text) }
    }
}

extension String {
    fileprivate func range(ofText text: String) -> Int? {
        let own = Array(utf8)
        let other = Array(text.utf8)
        return own.indices.first { own[$0...].starts(with: other) }
    }
}

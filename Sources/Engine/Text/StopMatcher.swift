/// Finds stop strings in text that arrives in pieces, and holds back what may yet become one.
///
/// Matching is on UTF-8 bytes. Only the longest end of the text that begins some stop string is held back, so output
/// without stop strings is never delayed. O(new bytes · stop strings) for each piece.
package struct StopMatcher: Sendable {
    /// Text that can be passed on, and the stop string that ended it.
    package struct Result: Sendable, Equatable {
        package let text: String
        package let stop: String?
    }

    private let stops: [[UInt8]]
    private let names: [String]
    private let includesStop: Bool
    private var held: [UInt8] = []

    package init(_ stops: [String], includesStop: Bool) {
        self.stops = stops.map { Array($0.utf8) }
        names = stops
        self.includesStop = includesStop
    }

    /// Takes the next piece; the earliest stop string in it (of several, the one listed first) ends the text.
    package mutating func append(_ piece: String) -> Result {
        guard !stops.isEmpty else { return Result(text: piece, stop: nil) }
        held.append(contentsOf: piece.utf8)
        if let match = firstMatch() {
            let end = includesStop ? match.start + stops[match.index].count : match.start
            let text = Self.text(held[..<end])
            held = []
            return Result(text: text, stop: names[match.index])
        }
        let kept = longestPossibleStart()
        let text = Self.text(held[..<(held.count - kept)])
        held.removeFirst(held.count - kept)
        return Result(text: text, stop: nil)
    }

    /// Takes a piece in which stop strings do not count (before the minimum length); returns all text so far.
    package mutating func appendUnmatched(_ piece: String) -> String { flush() + piece }

    /// Returns what is still held back.
    package mutating func flush() -> String {
        defer { held = [] }
        return Self.text(held[...])
    }

    private func firstMatch() -> (start: Int, index: Int)? {
        for start in held.indices {
            for (index, stop) in stops.enumerated() where held[start...].starts(with: stop) { return (start, index) }
        }
        return nil
    }

    private func longestPossibleStart() -> Int {
        let longest = min(held.count, (stops.map(\.count).max() ?? 1) - 1)
        for count in stride(from: longest, to: 0, by: -1) {
            let end = held.suffix(count)
            if stops.contains(where: { $0.count > count && $0.starts(with: end) }) { return count }
        }
        return 0
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}

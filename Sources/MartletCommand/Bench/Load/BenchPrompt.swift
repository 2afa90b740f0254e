import Checkpoints
import Engine
import SyntheticModels

/// One request of a run, before it is sent.
struct BenchPrompt: Sendable {
    var content: PromptRecord.Content
    var outputTokens: Int
    /// The name to ask for; nil is the model itself.
    var adapter: String?
}

/// Requests made of random tokens.
struct RandomPrompts {
    /// Tokens of a prompt beside the shared prefix.
    var inputLength: Int
    var outputLength: Int
    /// Lengths are drawn evenly from (1 - ratio) to (1 + ratio) of theirs.
    var rangeRatio = 0.0
    /// Tokens that all prompts begin with.
    var prefixLength = 0
    /// Token ids are drawn from 10 to below this: the first ones are often special.
    var vocabularySize = 2000
    var seed: UInt64 = 0

    /// Ids that special tokens often have.
    private static let firstToken: Int32 = 10

    func prompts(count: Int) -> [BenchPrompt] {
        var lengths = SplitMix64(state: seed)
        let prefix = tokens(prefixLength, seed: seed &+ 0x5EED)
        return (0..<count).map { index in
            let input = length(inputLength, using: &lengths)
            let output = length(outputLength, using: &lengths)
            // Every request's content hangs on its number and the seed alone, whatever the lengths are.
            let own = tokens(input, seed: seed &* 1_000_003 &+ UInt64(index) &+ 1)
            return BenchPrompt(content: .tokens(prefix + own), outputTokens: output)
        }
    }

    private func length(_ mean: Int, using generator: inout SplitMix64) -> Int {
        guard rangeRatio > 0 else { return mean }
        let low = Int((Double(mean) * (1 - rangeRatio)).rounded(.down))
        let high = Int((Double(mean) * (1 + rangeRatio)).rounded(.up))
        return max(1, Int.random(in: low...max(low, high), using: &generator))
    }

    private func tokens(_ count: Int, seed: UInt64) -> [Int32] {
        var generator = SplitMix64(state: seed)
        let end = max(1, Int32(clamping: vocabularySize))
        let first = end > Self.firstToken ? Self.firstToken : 0
        return (0..<count).map { _ in .random(in: first..<end, using: &generator) }
    }
}

extension BenchPrompt {
    /// The same as a user's message for a chat: as many common words as there are tokens, about one token each.
    var asMessage: BenchPrompt {
        guard case .tokens(let tokens) = content else { return self }
        var prompt = self
        let words = Self.words
        prompt.content = .text(tokens.map { words[Int($0) % words.count] }.joined(separator: " "))
        return prompt
    }

    private static let words = [
        "time", "year", "people", "way", "day", "man", "thing", "woman", "life", "child", "world", "school", "state",
        "family", "student", "group", "country", "problem", "hand", "part", "place", "case", "week", "company",
        "system",
        "program", "question", "work", "number", "night", "point", "home", "water", "room", "mother", "area", "money",
    ]
}

/// Requests from a file of JSON lines, as `martlet generate --prompts-file` reads them, each perhaps with `output_len` or
/// `max_tokens`.
enum PromptDataset {
    /// `count` requests; the file's lines are taken again from the start where it has fewer.
    static func prompts(
        file bytes: [UInt8], name: String, count: Int, outputLength: Int
    ) throws -> [BenchPrompt] {
        var prompts: [BenchPrompt] = []
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() where !line.allSatisfy({ $0 <= 0x20 }) {
            do { prompts.append(try prompt(Array(line), outputLength: outputLength)) } catch {
                throw CommandError("\(name), line \(number + 1): \(error)")
            }
        }
        guard !prompts.isEmpty else { throw CommandError("\(name) has no prompts.") }
        return (0..<count).map { prompts[$0 % prompts.count] }
    }

    private static func prompt(_ line: [UInt8], outputLength: Int) throws -> BenchPrompt {
        let record = try PromptRecord(line: line)
        let object = try JSONLineLoop.value(line).object ?? [:]
        let own = try object.optional("output_len", "a number of tokens", \.int)
        let output = try own ?? object.optional("max_tokens", "a number of tokens", \.int) ?? outputLength
        guard output >= 1 else { throw CommandError("'output_len' must be at least 1") }
        guard (record.adapters?.count ?? 0) <= 1 else {
            throw CommandError("'adapter' must be one name: a request over HTTP asks for one")
        }
        return BenchPrompt(content: record.content, outputTokens: output, adapter: record.adapters?.first?.name)
    }
}

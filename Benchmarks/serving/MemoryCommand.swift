import ArgumentParser
import KVCache
import Scheduling
import SyntheticModels

/// How many requests the same memory holds: blocks as tokens come, against one contiguous piece for each request, as
/// long as its longest possible sequence. Scheduling alone; no model is computed.
struct MemoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memory", abstract: "Paged against contiguous allocation: requests at a time, and waste.")

    @Option(help: "Tokens that the memory holds.") var tokens = 65_536
    @Option(help: "Longest possible sequence, for which a contiguous allocation must reserve.") var maxLength = 2048
    @Option(help: "Requests.") var requests = 2000
    @Option(help: "Share of the blocks that admission leaves free.") var watermark = 0.03
    @Option(parsing: .upToNextOption, help: "Block sizes.") var blockSizes = [8, 16, 32]

    func run() throws {
        let contiguous = tokens / maxLength
        for blockSize in blockSizes {
            var simulation = Simulation(tokens: tokens, blockSize: blockSize, requests: requests, watermark: watermark)
            simulation.run()
            report(
                "memory block \(blockSize)",
                [
                    ("paged", short(simulation.running.mean) + " requests"),
                    ("contiguous", "\(contiguous) requests"),
                    ("ratio", short(simulation.running.mean / Double(contiguous))),
                    ("waste", short(simulation.waste.mean * 100) + " %"),
                    ("contiguous waste", short((1 - simulation.meanLength.mean / Double(maxLength)) * 100) + " %"),
                    ("preemptions", "\(simulation.preemptions)"),
                    ("computed again", short(100 * Double(simulation.again) / Double(simulation.computed)) + " %"),
                ])
        }
    }
}

/// Requests with the lengths of chats (prompts around 160 tokens, outputs around 340, both with long tails).
private struct Simulation {
    private var scheduler: Scheduler
    private var left: [SequenceID: Int] = [:]
    private var random = SplitMix64(state: 3)
    private let total: Int
    private(set) var running: [Double] = []
    private(set) var waste: [Double] = []
    private(set) var meanLength: [Double] = []
    private(set) var preemptions = 0
    private(set) var computed = 0
    /// Of these, tokens that were computed before.
    private(set) var again = 0
    private var reached: [SequenceID: Int] = [:]

    init(tokens: Int, blockSize: Int, requests: Int, watermark: Double) {
        var configuration = SchedulerConfiguration(
            maxSequences: 4096, maxBatchedTokens: 4096,
            cache: KVCacheConfiguration(
                blockSize: blockSize, blockCount: tokens / blockSize, isPrefixCachingEnabled: false))
        configuration.watermark = watermark
        scheduler = Scheduler(configuration)
        total = requests
    }

    mutating func run() {
        for number in 0..<total {
            let id = SequenceID(UInt64(number))
            left[id] = length(mean: 340)
            scheduler.add(
                id, SequenceRequest(keys: SequenceKeys(tokens: randomTokens(length(mean: 160), seed: number))))
        }
        while !scheduler.isIdle { step() }
    }

    /// Exponentially distributed, cut at 1024.
    private mutating func length(mean: Double) -> Int {
        var value = 1.0
        while value < 1024, Double.random(in: 0..<1, using: &random) > 1 / mean { value += 1 }
        return Int(value)
    }

    private mutating func step() {
        let step = scheduler.schedule()
        preemptions += step.preempted.count
        // Only while there is a queue: the end of the list measures nothing.
        if scheduler.waitingCount > 0 { measure() }
        for entry in step.entries {
            computed += entry.count
            again += max(0, min(entry.start + entry.count, reached[entry.id] ?? 0) - entry.start)
            reached[entry.id] = max(reached[entry.id] ?? 0, entry.start + entry.count)
        }
        for entry in step.entries where entry.reachesEnd {
            left[entry.id, default: 0] -= 1
            if left[entry.id, default: 0] <= 0 {
                scheduler.remove(entry.id)
            } else {
                scheduler.append(1, to: entry.id)
            }
        }
    }

    private mutating func measure() {
        let states = left.keys.compactMap { scheduler[$0] }.filter { $0.status == .running }
        let held = states.reduce(0) { $0 + $1.blocks.table.capacity }
        let used = states.reduce(0) { $0 + $1.tokenCount }
        guard held > 0 else { return }
        running.append(Double(states.count))
        waste.append(1 - Double(used) / Double(held))
        meanLength.append(Double(used) / Double(states.count))
    }
}

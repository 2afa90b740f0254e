import ArgumentParser
import KVCache
import Scheduling
import SyntheticModels

/// What a step of scheduling and cache keeping costs beside the model, as the prefix tree grows.
struct OverheadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "overhead", abstract: "Scheduling and cache, microseconds for each step.")

    @Option(help: "Running requests.") var running = 256
    @Option(parsing: .upToNextOption, help: "Blocks in the prefix tree.") var tree = [0, 1000, 10_000, 100_000]
    @Option(help: "Steps measured.") var steps = 2000

    func run() throws {
        for size in tree {
            var scheduler = filled(size)
            let blocks = scheduler.cache.nodeCount
            for number in 0..<running {
                scheduler.add(
                    SequenceID(UInt64(1_000_000 + number)),
                    SequenceRequest(keys: SequenceKeys(tokens: randomTokens(100, seed: number))))
            }
            for token in drain(scheduler.schedule()) { scheduler.append(1, to: token) }
            var times: [Double] = []
            var random = SplitMix64(state: 5)
            for _ in 0..<steps {
                let start = ContinuousClock.now
                let step = scheduler.schedule()
                for entry in step.entries { scheduler.append(.random(in: 0..<2000, using: &random), to: entry.id) }
                times.append(start.duration(to: .now).inSeconds * 1e6)
            }
            report(
                "overhead tree \(blocks) blocks, \(scheduler.runningCount) running",
                [
                    ("median", short(times.median) + " µs"), ("mean", short(times.mean) + " µs"),
                    ("p99", short(times.quantile(0.99)) + " µs"),
                ])
        }
    }

    private func drain(_ step: ScheduledStep) -> [SequenceID] { step.entries.map(\.id) }

    /// A scheduler whose tree holds `size` blocks of earlier requests.
    private func filled(_ size: Int) -> Scheduler {
        let configuration = SchedulerConfiguration(
            maxSequences: 4096, maxBatchedTokens: 1 << 20,
            cache: KVCacheConfiguration(blockSize: 16, blockCount: size + running * (200 + steps / 16)))
        var scheduler = Scheduler(configuration)
        // Prompts of 40 blocks; a fifth of them share their first 20.
        for number in 0..<(size / 40) {
            var tokens = randomTokens(640, seed: 10_000 + number)
            if number.isMultiple(of: 5) { tokens = randomTokens(320, seed: 1) + tokens.prefix(320) }
            let id = SequenceID(UInt64(number))
            scheduler.add(id, SequenceRequest(keys: SequenceKeys(tokens: tokens)))
            _ = scheduler.schedule()
            scheduler.remove(id)
        }
        return scheduler
    }
}

import ChatTemplates
import Checkpoints
import Compute
import DemoModel
internal import KVCache
import Models
import Sampling
import Scheduling
import Tokenizers

/// Everything that an engine needs, loaded: slow, and therefore never done on the engine thread.
struct LoadedModel {
    let information: ModelInformation
    let text: TextProcessor
    let defaults: SamplingParameters
    let endTokens: Set<Int32>
    let runner: any ModelRunner
    let pool: WorkerPool
    let scheduler: SchedulerConfiguration
}

/// Loads a model folder: configuration, tokenizer, template, weights, then the KV cache.
struct ModelLoader {
    let configuration: EngineConfiguration
    let progress: @Sendable (LoadProgress) -> Void

    func load() throws -> LoadedModel {
        try checkLimits()
        let folder = try configuration.model.map { try ModelLocation.resolve($0) } ?? DemoModelFolder.locate().base
        let config = try ModelConfig(folder: folder)
        let generation = try GenerationConfig(folder: folder)
        progress(LoadProgress(stage: .tokenizer, fraction: 0))
        let text = try loadText(folder)
        let pool = WorkerPool(workerCount: configuration.threads ?? CPUInfo.current.coreCount)
        let runner = try loadModel(
            folder: folder, dtype: dtype, quantization: quantization,
            compressesWeights: configuration.compressesWeights, pool: pool, weightCache: configuration.weightCache,
            progress: { progress(LoadProgress(stage: .weights, fraction: $0)) },
            note: { progress(LoadProgress(stage: .weights, fraction: 0, note: $0)) })
        let plan = try CachePlan(
            configuration, modelLength: config.maximumPositions,
            bytesPerBlock: blockBytes(runner),
            availableMemory: CPUInfo.current.availableMemory)
        progress(LoadProgress(stage: .cache, fraction: 0))
        try runner.allocateCache(
            blocks: plan.blockCount, blockSize: configuration.blockSize, dtype: cacheDType(runner))
        progress(LoadProgress(stage: .ready, fraction: 1))
        return LoadedModel(
            information: information(config, runner, plan), text: text, defaults: SamplingParameters(generation),
            endTokens: endTokens(config, generation, text.tokenizer), runner: runner, pool: pool,
            scheduler: schedulerConfiguration(runner, plan))
    }

    private func schedulerConfiguration(_ runner: any ModelRunner, _ plan: CachePlan) -> SchedulerConfiguration {
        var cache = KVCacheConfiguration(
            blockSize: configuration.blockSize, blockCount: plan.blockCount, blockBytes: blockBytes(runner),
            budget: plan.budget, isPrefixCachingEnabled: configuration.enablesPrefixCaching,
            recordsEvents: configuration.cacheEvents != nil)
        cache.reservedBlocks = min(plan.blockCount, plan.blocksOfLongest)
        var result = SchedulerConfiguration(
            maxSequences: configuration.maxSequences, maxBatchedTokens: configuration.maxBatchedTokens, cache: cache)
        result.maxPromptLogits = maxPromptLogits(runner.shape.vocabularySize)
        result.longPrefillThreshold = configuration.longPrefillTokenThreshold
        result.maxMixedPrefillTokens = configuration.maxMixedPrefillTokens
        result.watermark = configuration.watermark
        result.tenantWeights = configuration.tenantWeights
        result.nanosecondsPerPriority = Int64(configuration.secondsPerPriority * 1e9)
        switch configuration.schedulingPolicy {
        case .fcfs: result.policy = .fcfs
        case .priority: result.policy = .priority
        case .fair: result.policy = .fair
        }
        return result
    }

    private func blockBytes(_ runner: any ModelRunner) -> Int {
        runner.bytesPerBlock(blockSize: configuration.blockSize, dtype: cacheDType(runner))
    }

    private func cacheDType(_ runner: any ModelRunner) -> CacheDType {
        switch configuration.cacheDType {
        case .auto: runner.shape.defaultCacheDType
        case .float32: .float32
        case .bfloat16: .bfloat16
        case .int8: .int8
        }
    }

    private var quantization: Quantization {
        switch configuration.quantization {
        case .none: .none
        case .int8: .int8
        case .int4: .int4
        }
    }

    private var dtype: ModelDType {
        switch configuration.dtype {
        case .auto: .auto
        case .float32: .float32
        case .bfloat16: .bfloat16
        }
    }

    /// A prompt whose log probabilities are wanted needs a row of logits for each token: 64 MiB of them in a step.
    private func maxPromptLogits(_ vocabularySize: Int) -> Int {
        max(16, (64 << 20) / (vocabularySize * MemoryLayout<Float>.size))
    }

    /// The tokenizer's end token and those of the generation config, which replaces the model config's (vLLM's rule).
    private func endTokens(_ config: ModelConfig, _ generation: GenerationConfig, _ tokenizer: Tokenizer) -> Set<Int32>
    {
        let listed = generation.endTokenIDs.isEmpty ? config.endTokenIDs : generation.endTokenIDs
        return Set(listed).union(tokenizer.eosTokenID.map { [$0] } ?? [])
    }

    private func checkLimits() throws {
        if let missing = KernelSet.missing {
            let names = KernelSet.available.map(\.name).joined(separator: ", ")
            throw EngineError.invalidRequest(
                parameter: nil,
                message: "MARTLET_ISA is '\(missing)', which this machine cannot run; it has \(names).")
        }
        try check(configuration.maxSequences, in: 1...65_536, "--max-num-seqs")
        try check(configuration.maxBatchedTokens, in: 1...1_048_576, "--max-num-batched-tokens")
        try check(configuration.threads ?? 1, in: 1...1024, "--threads")
        try check(configuration.maxQueuedRequests, in: 0...Int.max, "--max-num-queued-reqs")
        try check(configuration.longPrefillTokenThreshold, in: 0...Int.max, "--long-prefill-token-threshold")
        try check(configuration.maxMixedPrefillTokens, in: 0...Int.max, "--max-mixed-prefill-tokens")
        try check(configuration.watermark, in: 0...0.5, "--watermark")
        try check(configuration.memoryUtilization, in: 0.001...1, "--memory-utilization")
        try check(configuration.secondsPerPriority, in: 0...1e6, "--priority-ageing")
        try check(configuration.cacheIdleTimeout ?? 1, in: 0...1e8, "--cache-idle-timeout")
        for (name, weight) in configuration.tenantWeights {
            try check(weight, in: 0.001...1e6, "--tenant-weight \(name)")
        }
        guard [1, 2, 4, 8, 16, 32, 64, 128].contains(configuration.blockSize) else {
            throw EngineError.invalidRequest(
                parameter: nil,
                message: "--block-size must be a power of two from 1 to 128, got \(configuration.blockSize).")
        }
    }

    private func check<Value: Comparable>(_ value: Value, in range: ClosedRange<Value>, _ flag: String) throws {
        guard range.contains(value) else {
            throw EngineError.invalidRequest(
                parameter: nil,
                message: "\(flag) must be from \(range.lowerBound) to \(range.upperBound), got \(value).")
        }
    }

    private func loadText(_ folder: String) throws -> TextProcessor {
        let config = try TokenizerConfig(folder: folder)
        let template = try (configuration.chatTemplate ?? config.chatTemplate).map { try ChatTemplate($0) }
        return TextProcessor(
            tokenizer: try Tokenizer(folder: folder), template: template, specialTokens: config.specialTokens)
    }

    private func information(_ config: ModelConfig, _ runner: any ModelRunner, _ plan: CachePlan) -> ModelInformation {
        let root = configuration.model ?? "martlet-demo"
        return ModelInformation(
            servedNames: configuration.servedModelNames.isEmpty ? [root] : configuration.servedModelNames, root: root,
            maxModelLength: plan.maxModelLength, vocabularySize: runner.shape.vocabularySize,
            hiddenSize: runner.shape.hiddenSize,
            dtype: runner.shape.dtype.rawValue, quantization: configuration.quantization,
            architecture: config.modelType,
            parameterCount: runner.shape.parameterCount, created: Clock.unixSeconds,
            weightBytesPerStep: runner.shape.weightBytesPerStep,
            cacheBytesPerToken: blockBytes(runner) / configuration.blockSize)
    }
}

import Compute

/// How many KV blocks the engine gets and how long a sequence may be, from the memory there is.
package struct CachePlan: Sendable, Equatable {
    let blockCount: Int
    let maxModelLength: Int
    /// Bytes that blocks and all else that grows with use may take together.
    let budget: Int
    /// Blocks of a sequence of the greatest length.
    let blocksOfLongest: Int

    /// Share of the memory for the longest sequence when its length is not asked for: adapters need some too.
    private static let longestShare = 0.75

    /// - Parameters:
    ///   - modelLength: longest sequence that the model was made for.
    ///   - bytesPerBlock: bytes of one block over all layers.
    /// - Throws: `EngineError.invalidRequest` with the numbers when the wanted length does not fit.
    init(
        _ configuration: EngineConfiguration, modelLength: Int, bytesPerBlock: Int, availableMemory: Int
    ) throws(EngineError) {
        let blockSize = configuration.blockSize
        let wanted = configuration.maxModelLength ?? modelLength
        guard wanted >= 1, wanted <= modelLength else {
            throw .invalidRequest(
                parameter: "max_model_len",
                message: "--max-model-len must be between 1 and the model's own \(modelLength), got \(wanted).")
        }
        let bytes = configuration.cacheMemory ?? Int(Double(availableMemory) * configuration.memoryUtilization)
        let affordable = bytes / max(1, bytesPerBlock)
        let blocksForOne = (wanted + blockSize - 1) / blockSize
        if affordable < blocksForOne, configuration.maxModelLength != nil || affordable == 0 {
            throw .invalidRequest(
                parameter: "cache_memory",
                message: """
                    A sequence of \(wanted) tokens needs \(blocksForOne * bytesPerBlock) bytes of KV cache, but only \
                    \(bytes) are available. Raise --cache-memory, or lower --max-model-len to at most \
                    \(affordable * blockSize).
                    """)
        }
        // Who asks for a length gets it, and if need be all of the memory for it.
        let limit =
            configuration.maxModelLength == nil ? max(1, Int(Double(affordable) * Self.longestShare)) : affordable
        maxModelLength = min(wanted, limit * blockSize)
        blocksOfLongest = (maxModelLength + blockSize - 1) / blockSize
        // More than the sequences can need: what is kept, and prefixes, have the rest.
        blockCount = min(affordable, Int(Int32.max) / blockSize)
        budget = bytes
    }
}

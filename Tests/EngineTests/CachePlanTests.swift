import Testing

@testable import Engine

@Suite struct CachePlanTests {
    private func plan(
        length: Int? = nil, memory: Int? = nil, modelLength: Int = 1000, available: Int = 1 << 30, sequences: Int = 4,
        prefixCaching: Bool = true, utilization: Double = 0.5
    ) throws -> CachePlan {
        var configuration = EngineConfiguration()
        configuration.maxModelLength = length
        configuration.cacheMemory = memory
        configuration.maxSequences = sequences
        configuration.enablesPrefixCaching = prefixCaching
        configuration.memoryUtilization = utilization
        return try CachePlan(configuration, modelLength: modelLength, bytesPerBlock: 1024, availableMemory: available)
    }

    @Test func takesTheShareOfTheFreeMemory() throws {
        #expect(try plan() == plan(memory: 1 << 29))
        #expect(try plan().blockCount == 1 << 19)
        #expect(try plan(utilization: 0.25).budget == 1 << 28)
    }

    @Test func prefixesHaveRoomWithoutPrefixCachingToo() throws {
        #expect(try plan(prefixCaching: false) == plan())
        #expect(try plan().maxModelLength == 1000)
    }

    @Test func shortensTheContextToWhatFitsUnlessItWasAskedFor() throws {
        #expect(try plan(memory: 10 * 1024).maxModelLength == 112, "three quarters of it")
        #expect(try plan(length: 160, memory: 10 * 1024).maxModelLength == 160)
        #expect(throws: EngineError.self) { try plan(length: 500, memory: 10 * 1024) }
        #expect(throws: EngineError.self) { try plan(memory: 100) }
    }

    @Test func refusesLengthsBeyondTheModel() {
        #expect(throws: EngineError.self) { try plan(length: 1001) }
        #expect(throws: EngineError.self) { try plan(length: 0) }
        #expect(throws: EngineError.self) { try plan(memory: -5) }
    }
}

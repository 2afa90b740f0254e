import ArgumentParser
import Engine

/// Options of the KV cache; spelled as in vLLM where vLLM has the thing.
struct CacheOptions: ParsableArguments {
    @Option(
        name: [.customLong("cache-memory"), .customLong("kv-cache-memory-bytes")],
        help: ArgumentHelp(
            "Memory for the KV cache (2GiB, 512MB, bytes); the default is a share of what is free after loading.",
            valueName: "size"))
    var cacheMemory: ByteCount?

    @Option(
        name: [.customLong("memory-utilization"), .customLong("gpu-memory-utilization")],
        help: ArgumentHelp(
            "Share of the free memory that the cache may grow to, when --cache-memory is not given.",
            valueName: "share"))
    var memoryUtilization = EngineConfiguration().memoryUtilization

    @Option(
        name: .customLong("kv-cache-dtype"),
        help: "How the cache holds keys and values: as the weights (auto), or float32, bfloat16, int8.")
    var cacheDType: CacheDTypeArgument = .auto

    @Flag(
        name: .customLong("enable-prefix-caching"), inversion: .prefixedNo,
        help: "Keep what was computed for requests that begin alike.")
    var enablesPrefixCaching = true

    @Option(
        name: .customLong("cache-idle-timeout"),
        help: ArgumentHelp(
            "Time without requests after which kept content and its memory are given back; 0 is never.",
            valueName: "seconds"))
    var idleTimeout = EngineConfiguration().cacheIdleTimeout ?? 0

    @Flag(
        name: .customLong("precompute-soft-prompts"),
        help:
            "Compute soft prompts when they are loaded, and keep them in the cache as long as their adapter is in memory."
    )
    var precomputesSoftPrompts = false

    func apply(to configuration: inout EngineConfiguration) {
        configuration.cacheMemory = cacheMemory?.bytes
        configuration.memoryUtilization = memoryUtilization
        configuration.cacheDType = cacheDType.dtype
        configuration.enablesPrefixCaching = enablesPrefixCaching
        configuration.precomputesSoftPrompts = precomputesSoftPrompts
        configuration.cacheIdleTimeout = idleTimeout == 0 ? nil : idleTimeout
    }
}

import Engine

/// The answer of `GET /metrics`: vLLM's families under vLLM's names, all of them from the first scrape.
enum MetricsText {
    static func render(
        _ statistics: EngineStatistics, model: ModelInformation, adapters: [AdapterInformation] = [],
        traffic: [(key: TrafficCounters.Key, count: Int)], process: ProcessStatistics?
    ) -> [UInt8] {
        var writer = MetricsWriter(labels: [
            (name: "model_name", value: model.servedNames.first ?? model.root), (name: "engine", value: "0"),
        ])
        writeGauges(statistics, to: &writer)
        writeCounters(statistics, to: &writer)
        writeSpeculation(to: &writer)
        writeAdapters(statistics, adapters, to: &writer)
        writeResidency(adapters, statistics.adapters, to: &writer)
        writeTimes(statistics.adapters, to: &writer)
        writeLatencies(statistics, to: &writer)
        writeSizes(statistics, to: &writer)
        writeTraffic(traffic, to: &writer)
        if let process { write(process, to: &writer) }
        return writer.bytes
    }

    private static func writeGauges(_ statistics: EngineStatistics, to writer: inout MetricsWriter) {
        writer.gauge(
            "vllm:num_requests_running", "Requests in the current batch.", Double(statistics.requestsRunning))
        writer.gauge("vllm:num_requests_waiting", "Requests that wait.", Double(statistics.requestsWaiting))
        let reasons = "vllm:num_requests_waiting_by_reason"
        writer.family(reasons, "gauge", "Requests that wait, by reason.")
        writer.sample(reasons, Double(statistics.requestsWaiting), extra: [(name: "reason", value: "capacity")])
        writer.sample(reasons, 0, extra: [(name: "reason", value: "deferred")])
        for name in ["vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"] {
            writer.gauge(name, "Share of the KV cache in use; 1 is all of it.", statistics.cacheUsage)
        }
        writer.gauge(
            "martlet:kv_cache_bytes", "Memory of the KV blocks that hold content, in use or kept for reuse.",
            Double(statistics.cacheBytes))
        writer.gauge(
            "martlet:memory_budget_bytes", "Memory that everything that grows with use may take together.",
            Double(statistics.memoryBudget))
        writer.family("vllm:cache_config_info", "gauge", "Configuration of the KV cache.")
        writer.sample(
            "vllm:cache_config_info", 1,
            extra: [
                (name: "block_size", value: "\(statistics.blockSize)"),
                (name: "num_gpu_blocks", value: "\(statistics.blockCount)"),
            ])
        let queries = statistics.prefixCacheQueries
        writer.gauge(
            "vllm:gpu_prefix_cache_hit_rate", "Share of looked-up prompt tokens found in the cache.",
            queries > 0 ? Double(statistics.prefixCacheHits) / Double(queries) : 0)
    }

    private static func writeCounters(_ statistics: EngineStatistics, to writer: inout MetricsWriter) {
        for prefix in ["vllm:", "vllm:gpu_"] {
            writer.counter(
                "\(prefix)prefix_cache_queries_total", "Prompt tokens looked up in the cache.",
                statistics.prefixCacheQueries)
            writer.counter(
                "\(prefix)prefix_cache_hits_total", "Prompt tokens found in the cache.", statistics.prefixCacheHits)
        }
        writer.counter("vllm:num_preemptions_total", "Requests put back to recompute.", statistics.preemptions)
        writer.counter("vllm:prompt_tokens_total", "Prompt tokens processed.", statistics.promptTokens)
        writer.counter("vllm:prompt_tokens_cached_total", "Prompt tokens reused.", statistics.promptTokensCached)
        writer.counter("vllm:generation_tokens_total", "Tokens generated.", statistics.generationTokens)
        writer.family("vllm:request_success_total", "counter", "Requests that ended, by reason.")
        for reason in FinishReason.allCases {
            writer.sample(
                "vllm:request_success_total", Double(statistics.finished[reason] ?? 0),
                extra: [(name: "finished_reason", value: reason.rawValue)])
        }
        writer.family("vllm:admission_rejections_total", "counter", "Requests refused, by reason.")
        writer.sample(
            "vllm:admission_rejections_total", Double(statistics.rejections),
            extra: [(name: "reason", value: "queue_full")])
    }

    private static func writeSpeculation(to writer: inout MetricsWriter) {
        for name in ["drafts", "draft_tokens", "accepted_tokens"] {
            writer.counter("vllm:spec_decode_num_\(name)_total", "Speculative decoding; not in use.", 0)
        }
    }

    private static func writeLatencies(_ statistics: EngineStatistics, to writer: inout MetricsWriter) {
        writer.histogram(
            "vllm:time_to_first_token_seconds", "Time from arrival to the first token.", statistics.timeToFirstToken)
        writer.histogram(
            "vllm:inter_token_latency_seconds", "Time between two tokens of a sequence.", statistics.interTokenLatency)
        writer.histogram(
            "vllm:request_time_per_output_token_seconds", "Mean time for each token after the first.",
            statistics.timePerOutputToken)
        writer.histogram(
            "vllm:e2e_request_latency_seconds", "Time from arrival to the last token.", statistics.endToEndLatency)
        writer.histogram("vllm:request_queue_time_seconds", "Time spent waiting.", statistics.queueTime)
        writer.histogram("vllm:request_inference_time_seconds", "Time spent running.", statistics.inferenceTime)
        writer.histogram("vllm:request_prefill_time_seconds", "Time spent on the prompt.", statistics.prefillTime)
        writer.histogram("vllm:request_decode_time_seconds", "Time spent on the output.", statistics.decodeTime)
    }

    private static func writeSizes(_ statistics: EngineStatistics, to writer: inout MetricsWriter) {
        writer.histogram("vllm:request_prompt_tokens", "Tokens of a prompt.", statistics.requestPromptTokens)
        writer.histogram(
            "vllm:request_generation_tokens", "Tokens generated for a request.", statistics.requestGenerationTokens)
        writer.histogram(
            "vllm:request_max_num_generation_tokens", "Tokens of the longest choice.",
            statistics.requestMaxGenerationTokens)
        writer.histogram("vllm:request_params_n", "The parameter n.", statistics.requestChoices)
        writer.histogram("vllm:request_params_max_tokens", "The limit of new tokens.", statistics.requestMaxTokens)
        writer.histogram(
            "vllm:request_num_preemptions", "How often a request was put back.", statistics.requestPreemptions)
        writer.histogram(
            "vllm:request_prefill_kv_computed_tokens", "Prompt tokens computed, not reused.",
            statistics.prefillComputedTokens)
        writer.histogram("vllm:iteration_tokens_total", "Tokens in one step.", statistics.iterationTokens)
    }

    private static func writeTraffic(
        _ traffic: [(key: TrafficCounters.Key, count: Int)], to writer: inout MetricsWriter
    ) {
        writer.family("http_requests_total", "counter", "Responses, by endpoint, method and class of status.")
        for (key, count) in traffic {
            writer.plain(
                "http_requests_total", Double(count),
                labels: [
                    (name: "handler", value: key.path), (name: "method", value: key.method),
                    (name: "status", value: key.status),
                ])
        }
    }

    private static func write(_ process: ProcessStatistics, to writer: inout MetricsWriter) {
        writer.family("process_resident_memory_bytes", "gauge", "Resident memory.")
        writer.plain("process_resident_memory_bytes", Double(process.residentBytes))
        writer.family("process_virtual_memory_bytes", "gauge", "Virtual memory.")
        writer.plain("process_virtual_memory_bytes", Double(process.virtualBytes))
        writer.family("process_cpu_seconds_total", "counter", "Processor time.")
        writer.plain("process_cpu_seconds_total", process.processorSeconds)
        writer.family("process_start_time_seconds", "gauge", "Unix time of the start.")
        writer.plain("process_start_time_seconds", process.startTime)
        writer.family("process_open_fds", "gauge", "Open file descriptors.")
        writer.plain("process_open_fds", Double(process.openFiles))
        writer.family("process_max_fds", "gauge", "Limit of open file descriptors.")
        writer.plain("process_max_fds", Double(process.fileLimit))
    }
}

import Engine

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension MetricsText {
    /// vLLM's one series about adapters, which routers read, and counters by adapter, which vLLM has not.
    ///
    /// As the routers' protocol says, an adapter counts as running when it is loaded and ready.
    static func writeAdapters(_ statistics: EngineStatistics, loaded: [String], to writer: inout MetricsWriter) {
        let table = statistics.adapters
        writer.family(
            "vllm:lora_requests_info", "gauge", "Adapters that are loaded and that wait; the value is a time.")
        writer.sample(
            "vllm:lora_requests_info", Date().timeIntervalSince1970,
            extra: [
                // There are no slots; what bounds adapters is memory.
                (name: "max_lora", value: "1024"),
                (name: "running_lora_adapters", value: loaded.sorted().joined(separator: ",")),
                (name: "waiting_lora_adapters", value: table.names(\.requestsWaiting).joined(separator: ",")),
            ])
        writer.gauge(
            "martlet:adapter_bytes", "Memory of the packed weights of adapters.", Double(statistics.adapterBytes))
        let families: [(name: String, help: String, value: KeyPath<AdapterStatistics, Int>)] = [
            ("martlet:adapter_requests_total", "Requests, by adapter.", \.requests),
            ("martlet:adapter_prompt_tokens_total", "Prompt tokens, by adapter.", \.promptTokens),
            ("martlet:adapter_generation_tokens_total", "Tokens generated, by adapter.", \.generationTokens),
        ]
        for family in families {
            writer.family(family.name, "counter", family.help)
            for (adapter, numbers) in table.byName.sorted(by: { $0.key < $1.key }) {
                writer.sample(
                    family.name, Double(numbers[keyPath: family.value]), extra: [(name: "adapter", value: adapter)])
            }
        }
    }
}

import Engine

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension MetricsText {
    /// vLLM's one series about adapters, which routers read, and counts by adapter, which vLLM has not.
    ///
    /// As the routers' protocol says, an adapter counts as running when it is loaded and ready.
    static func writeAdapters(
        _ statistics: EngineStatistics, _ adapters: [AdapterInformation], to writer: inout MetricsWriter
    ) {
        let table = statistics.adapters
        writer.family(
            "vllm:lora_requests_info", "gauge", "Adapters that are loaded and that wait; the value is a time.")
        writer.sample(
            "vllm:lora_requests_info", Date().timeIntervalSince1970,
            extra: [
                // There are no slots; what bounds adapters is memory.
                (name: "max_lora", value: "1024"),
                (name: "running_lora_adapters", value: adapters.map(\.name).sorted().joined(separator: ",")),
                (name: "waiting_lora_adapters", value: table.names(\.requestsWaiting).joined(separator: ",")),
            ])
        writer.gauge(
            "martlet:adapter_bytes", "Memory of the packed weights of adapters.", Double(statistics.adapterBytes))
        for family in counts {
            writer.family(family.name, family.type, family.help)
            for (adapter, numbers) in table.byName.sorted(by: { $0.key < $1.key }) {
                writer.sample(family.name, family.value(numbers), extra: [(name: "adapter", value: adapter)])
            }
        }
    }

    private typealias Family = (
        name: String, type: String, help: String, value: @Sendable (AdapterStatistics) -> Double
    )

    private static let counts: [Family] = [
        ("martlet:adapter_requests_total", "counter", "Requests, by adapter.", { Double($0.requests) }),
        (
            "martlet:adapter_requests_running", "gauge", "Requests in the current batch, by adapter.",
            { Double($0.requestsRunning) }
        ),
        (
            "martlet:adapter_requests_waiting", "gauge", "Requests that wait, by adapter.",
            { Double($0.requestsWaiting) }
        ),
        ("martlet:adapter_prompt_tokens_total", "counter", "Prompt tokens, by adapter.", { Double($0.promptTokens) }),
        (
            "martlet:adapter_generation_tokens_total", "counter", "Tokens generated, by adapter.",
            { Double($0.generationTokens) }
        ),
        ("martlet:adapter_loads_total", "counter", "How often an adapter was read into memory.", { Double($0.loads) }),
        (
            "martlet:adapter_evictions_total", "counter", "How often an adapter was given up to make room.",
            { Double($0.evictions) }
        ),
        (
            "martlet:adapter_last_load_seconds", "gauge", "Time that the latest loading of an adapter took.",
            { $0.lastLoadSeconds }
        ),
    ]

    /// Where adapters are now. Those beyond the bound of names are added up, as everywhere.
    static func writeResidency(
        _ adapters: [AdapterInformation], _ table: AdapterStatisticsTable, to writer: inout MetricsWriter
    ) {
        var places: [String: (memory: Int, disk: Int, bytes: Int)] = [:]
        for adapter in adapters {
            let label = table.label(of: adapter.name)
            places[label, default: (0, 0, 0)].memory += adapter.isResident ? 1 : 0
            places[label, default: (0, 0, 0)].disk += adapter.isResident ? 0 : 1
            places[label, default: (0, 0, 0)].bytes += adapter.isResident ? adapter.byteCount : 0
        }
        let sorted = places.sorted { $0.key < $1.key }
        writer.family("martlet:adapter_residency", "gauge", "Whether an adapter is in memory, or on disk only.")
        for (adapter, place) in sorted {
            for (state, count) in [("memory", place.memory), ("disk", place.disk)] {
                writer.sample(
                    "martlet:adapter_residency", Double(count),
                    extra: [(name: "adapter", value: adapter), (name: "state", value: state)])
            }
        }
        writer.family("martlet:adapter_resident_bytes", "gauge", "Memory of the packed weights, by adapter.")
        for (adapter, place) in sorted {
            writer.sample(
                "martlet:adapter_resident_bytes", Double(place.bytes), extra: [(name: "adapter", value: adapter)])
        }
    }

    static func writeTimes(_ table: AdapterStatisticsTable, to writer: inout MetricsWriter) {
        let families: [(name: String, help: String, times: KeyPath<AdapterLatencies, Histogram>)] = [
            (
                "martlet:adapter_time_to_first_token_seconds", "Time from arrival to the first token, by adapter.",
                \.timeToFirstToken
            ),
            (
                "martlet:adapter_inter_token_latency_seconds", "Time between two tokens of a sequence, by adapter.",
                \.interTokenLatency
            ),
            ("martlet:adapter_load_time_seconds", "Time to read an adapter into memory.", \.loadTime),
        ]
        for family in families {
            writer.family(family.name, "histogram", family.help)
            for (adapter, times) in table.latencies.sorted(by: { $0.key < $1.key }) {
                let histogram = times[keyPath: family.times]
                if histogram.count > 0 {
                    writer.samples(family.name, histogram, extra: [(name: "adapter", value: adapter)])
                }
            }
        }
    }
}

import Checkpoints
import Compute

/// The machine that a local measurement ran on, with how fast it read memory before and after.
struct BenchMachine {
    let cpu = CPUInfo.current
    let threads: Int
    private(set) var bandwidthBefore: Double?
    private(set) var bandwidthAfter: Double?

    init(threads: Int?) { self.threads = threads ?? cpu.coreCount }

    mutating func probeBefore(_ progress: StatusLine) {
        progress.show("Measuring memory")
        bandwidthBefore = MemoryProbe.readBandwidth(threads: threads)
    }

    mutating func probeAfter(_ progress: StatusLine) {
        progress.show("Measuring memory")
        bandwidthAfter = MemoryProbe.readBandwidth(threads: threads)
    }

    /// Bytes in a second: the mean of what was measured.
    var bandwidth: Double? {
        let values = [bandwidthBefore, bandwidthAfter].compactMap(\.self)
        return values.isEmpty ? nil : Distribution(values).mean
    }

    func text(_ terminal: Terminal) -> String {
        let probes = [bandwidthBefore, bandwidthAfter].compactMap(\.self).map { Format.fixed($0 / 1e9, 1) }
        let memory = probes.isEmpty ? "" : "; reads \(probes.joined(separator: " before, ")) GB/s"
        return terminal.dim(
            "\(cpu.brand), \(threads) threads, \(cpu.kernelSet) kernels" + memory + (probes.count > 1 ? " after" : ""))
            + "\n"
    }

    var json: JSONObject {
        var object: JSONObject = [
            "cpu": .string(cpu.brand), "features": .array(cpu.features.map(JSONValue.string)),
            "kernels": .string(cpu.kernelSet), "threads": .int(threads),
        ]
        object["memory_read_bytes_per_second"] = bandwidth.map { .double($0.rounded()) }
        object["memory_read_before"] = bandwidthBefore.map { .double($0.rounded()) }
        object["memory_read_after"] = bandwidthAfter.map { .double($0.rounded()) }
        return object
    }
}

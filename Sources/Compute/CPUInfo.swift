import CKernels

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What the machine offers to this process, and which kernels were chosen for it.
public struct CPUInfo: Sendable {
    /// Name of the processor as it calls itself.
    public let brand: String
    /// Names of the features that kernels exist for or may come for (`avx2`, `avx512_bf16`, `amx_int8`, …).
    public let features: [String]
    /// The kernel set in use: `scalar`, `neon`, `avx2`, `avx512`, `avx512_vnni`, `avx512_bf16`, `amx`.
    public let kernelSet: String
    /// All kernel sets that run here.
    public let availableKernelSets: [String]
    /// Processors that this process may use: affinity and container limits count.
    public let coreCount: Int
    /// Memory of the machine or container in bytes.
    public let physicalMemory: Int
    /// Bytes that could be taken without pushing anything else out, at the time of the call.
    public let availableMemory: Int

    /// A fresh look at the machine.
    public static var current: CPUInfo { CPUInfo() }

    private init() {
        brand = Self.readBrand()
        features = Self.featureNames(mk_detect_cpu_features())
        kernelSet = KernelSet.default.name
        availableKernelSets = KernelSet.available.filter { !$0.isEmulated }.map(\.name)
        coreCount = Self.countCores()
        (physicalMemory, availableMemory) = Self.readMemory()
    }

    private static func featureNames(_ f: mk_cpu_features) -> [String] {
        let all: [(String, Bool)] = [
            ("avx2", f.avx2), ("fma", f.fma), ("f16c", f.f16c), ("avx512f", f.avx512f), ("avx512bw", f.avx512bw),
            ("avx512vl", f.avx512vl), ("avx512dq", f.avx512dq), ("avx512_vnni", f.avx512_vnni),
            ("avx512_bf16", f.avx512_bf16), ("amx_tile", f.amx_tile), ("amx_bf16", f.amx_bf16),
            ("amx_int8", f.amx_int8), ("neon", f.neon), ("neon_dot", f.neon_dot), ("neon_bf16", f.neon_bf16),
        ]
        return all.filter(\.1).map(\.0)
    }

    private static func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The number after `key` in text of lines `key: number`, `key number`.
    private static func number(_ key: String, in text: String) -> Int? {
        for line in text.split(separator: "\n") where line.hasPrefix(key) {
            return line.dropFirst(key.count).split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) }
        }
        return nil
    }
}

#if os(Linux)
extension CPUInfo {
    private static func readBrand() -> String {
        for line in (text("/proc/cpuinfo") ?? "").split(separator: "\n") where line.hasPrefix("model name") {
            if let colon = line.firstIndex(of: ":") {
                return String(line[line.index(after: colon)...].drop { $0 == " " })
            }
        }
        return "unknown processor"
    }

    private static func countCores() -> Int {
        var cores = Int(mk_processor_count())
        // A container's quota: microseconds of processor time in each period.
        let quota = (text("/sys/fs/cgroup/cpu.max") ?? "").split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        if quota.count == 2, quota[1] > 0 { cores = min(cores, (quota[0] + quota[1] - 1) / quota[1]) }
        return max(1, cores)
    }

    private static func readMemory() -> (physical: Int, available: Int) {
        let info = text("/proc/meminfo") ?? ""
        var physical = (number("MemTotal:", in: info) ?? 0) * 1024
        var available = (number("MemAvailable:", in: info) ?? 0) * 1024
        let limit = text("/sys/fs/cgroup/memory.max").flatMap { Int($0.prefix { $0.isNumber }) }
        let used = text("/sys/fs/cgroup/memory.current").flatMap { Int($0.prefix { $0.isNumber }) }
        if let limit, let used, limit < physical {
            // Cached file pages count as used but are given back on demand.
            let cached = text("/sys/fs/cgroup/memory.stat").flatMap { number("inactive_file", in: $0) } ?? 0
            physical = limit
            available = min(available, max(0, limit - used + cached))
        }
        return (physical, available)
    }
}
#else
extension CPUInfo {
    private static func readBrand() -> String {
        var size = 0
        guard sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0) == 0, size > 0 else {
            return "unknown processor"
        }
        var bytes = [UInt8](repeating: 0, count: size)
        sysctlbyname("machdep.cpu.brand_string", &bytes, &size, nil, 0)
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    private static func countCores() -> Int { max(1, ProcessInfo.processInfo.activeProcessorCount) }

    private static func readMemory() -> (physical: Int, available: Int) {
        let physical = Int(clamping: ProcessInfo.processInfo.physicalMemory)
        var statistics = vm_statistics64()
        var count = mach_msg_type_number_t(MemoryLayout<vm_statistics64>.size / MemoryLayout<integer_t>.size)
        let status = withUnsafeMutablePointer(to: &statistics) { pointer in
            pointer.withMemoryRebound(to: integer_t.self, capacity: Int(count)) {
                host_statistics64(mach_host_self(), HOST_VM_INFO64, $0, &count)
            }
        }
        guard status == KERN_SUCCESS else { return (physical, physical / 2) }
        let pages = Int(statistics.free_count) + Int(statistics.inactive_count) + Int(statistics.purgeable_count)
        return (physical, pages * Int(getpagesize()))
    }
}
#endif

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What the operating system says of this process; Linux only.
struct ProcessStatistics: Sendable {
    var residentBytes = 0
    var virtualBytes = 0
    var processorSeconds = 0.0
    /// Unix time.
    var startTime = 0.0
    var openFiles = 0
    var fileLimit = 0

    /// Reads `/proc`; some 20 µs. Nil where there is none.
    static func current() -> ProcessStatistics? {
        #if os(Linux)
        guard let text = read("/proc/self/stat"), let end = text.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        // Fields after the program's name, which may contain blanks; the first here is field 3 of proc(5).
        let fields = text[(end + 1)...].split(separator: UInt8(ascii: " ")).map { number($0) }
        guard fields.count > 21 else { return nil }
        let ticks = Double(max(sysconf(Int32(_SC_CLK_TCK)), 1))
        var result = ProcessStatistics()
        result.processorSeconds = (fields[11] + fields[12]) / ticks
        result.startTime = bootTime + fields[19] / ticks
        result.virtualBytes = Int(fields[20])
        result.residentBytes = Int(fields[21]) * sysconf(Int32(_SC_PAGESIZE))
        result.openFiles = countEntries("/proc/self/fd")
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(7), &limit) == 0 { result.fileLimit = Int(clamping: limit.rlim_cur) }
        return result
        #else
        return nil
        #endif
    }

    #if os(Linux)
    private static let bootTime: Double = {
        guard let text = read("/proc/stat") else { return 0 }
        let line = text.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: "btime ".utf8) }
        return line.map { number($0.dropFirst(6)) } ?? 0
    }()

    private static func number(_ text: ArraySlice<UInt8>) -> Double {
        Double(String(decoding: text, as: UTF8.self)) ?? 0
    }

    private static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = fread(&bytes, 1, bytes.count, file)
        return Array(bytes.prefix(count))
    }

    private static func countEntries(_ path: String) -> Int {
        guard let directory = opendir(path) else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // Not `.`, `..` and the descriptor of this listing.
        return max(count - 3, 0)
    }
    #endif
}

import Engine

/// Prometheus text exposition, format 0.0.4.
struct MetricsWriter {
    private(set) var bytes: [UInt8] = []
    /// Labels that every sample of the engine carries, without braces.
    private let labels: String

    init(labels: [(name: String, value: String)]) {
        self.labels = Self.join(labels)
        bytes.reserveCapacity(64 << 10)
    }

    mutating func family(_ name: String, _ type: String, _ help: String) {
        append("# HELP \(name) \(help)\n# TYPE \(name) \(type)\n")
    }

    mutating func sample(_ name: String, _ value: Double, extra: [(name: String, value: String)] = []) {
        line(name, "", Self.join(extra, after: labels), Self.number(value))
    }

    /// A sample without the engine's labels.
    mutating func plain(_ name: String, _ value: Double, labels: [(name: String, value: String)] = []) {
        let suffix = labels.isEmpty ? "" : "{\(Self.join(labels))}"
        append("\(name)\(suffix) \(Self.number(value))\n")
    }

    mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        family(name, "gauge", help)
        sample(name, value)
    }

    mutating func counter(_ name: String, _ help: String, _ value: Int) {
        family(name, "counter", help)
        sample(name, Double(value))
    }

    mutating func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
        family(name, "histogram", help)
        samples(name, histogram)
    }

    /// One histogram of a family of several, told apart by `extra`.
    mutating func samples(_ name: String, _ histogram: Histogram, extra: [(name: String, value: String)] = []) {
        let labels = Self.join(extra, after: labels)
        var cumulative = 0
        for (bound, count) in zip(histogram.bounds, histogram.counts) {
            cumulative += count
            line(name, "_bucket", labels, "\(cumulative)", bound: Self.number(bound))
        }
        line(name, "_bucket", labels, "\(histogram.count)", bound: "+Inf")
        line(name, "_count", labels, "\(histogram.count)")
        line(name, "_sum", labels, Self.number(histogram.sum))
    }

    /// One sample, put together from its parts: with many adapters there are thousands of them in every scrape.
    private mutating func line(
        _ name: String, _ suffix: String, _ labels: String, _ value: String, bound: String? = nil
    ) {
        append(name)
        append(suffix)
        append("{")
        append(labels)
        if let bound {
            append(",le=\"")
            append(bound)
            append("\"")
        }
        append("} ")
        append(value)
        append("\n")
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private static func number(_ value: Double) -> String { "\(value)" }

    private static func join(_ labels: [(name: String, value: String)], after first: String = "") -> String {
        var result = first
        for label in labels {
            if !result.isEmpty { result += "," }
            result += "\(label.name)=\"\(escape(label.value))\""
        }
        return result
    }

    private static func escape(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == 0x5C || $0 == 0x22 || $0 == 0x0A }) else { return value }
        var result = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}

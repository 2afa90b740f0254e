/// Some measurements of one thing.
struct Distribution: Equatable {
    /// Ascending.
    let values: [Double]

    init(_ values: [Double]) { self.values = values.sorted() }

    /// 0 for none.
    var mean: Double { values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count) }

    var median: Double { percentile(50) }

    /// The standard deviation of exactly these values (not of what they are a sample of), as `numpy.std`.
    var deviation: Double {
        guard !values.isEmpty else { return 0 }
        let mean = mean
        return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
    }

    /// The value below which `percent` (0…100) of the values lie, between two of them by proportion, as `numpy.percentile`;
    /// 0 for none.
    func percentile(_ percent: Double) -> Double {
        guard let last = values.indices.last else { return 0 }
        let position = min(max(percent, 0), 100) / 100 * Double(last)
        let below = Int(position)
        let above = min(below + 1, last)
        return values[below] + (values[above] - values[below]) * (position - Double(below))
    }
}

/// The middle of some measurements.
enum Median {
    /// The mean of the two middle ones for an even count; nil for none.
    static func of(_ values: [Double]) -> Double? { values.isEmpty ? nil : Distribution(values).median }
}

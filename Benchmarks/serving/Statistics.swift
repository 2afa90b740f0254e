extension [Double] {
    /// The value below which a share of the sorted values lies; 0 for none.
    func quantile(_ share: Double) -> Double {
        guard !isEmpty else { return 0 }
        let ordered = sorted()
        return ordered[Swift.min(count - 1, Int((Double(count) * share).rounded(.down)))]
    }

    var median: Double { quantile(0.5) }
    var mean: Double { isEmpty ? 0 : reduce(0, +) / Double(count) }
}

extension Duration {
    var inSeconds: Double { self / .seconds(1) }
}

/// Three significant digits.
func short(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return "\(value)" }
    let digits = value.magnitude >= 100 ? 0 : value.magnitude >= 10 ? 1 : value.magnitude >= 1 ? 2 : 4
    let scale = [1.0, 10, 100, 1000, 10_000][digits]
    let rounded = (value * scale).rounded() / scale
    return digits == 0 ? "\(Int(rounded))" : "\(rounded)"
}

/// One line of a table, and of what `plot.py` reads.
func report(_ experiment: String, _ values: [(name: String, value: String)]) {
    print("\(experiment): " + values.map { "\($0.name) \($0.value)" }.joined(separator: ", "))
}

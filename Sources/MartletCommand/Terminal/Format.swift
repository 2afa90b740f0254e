/// Numbers as people read them.
enum Format {
    /// A size in binary units: `512 B`, `1.5 GiB`.
    static func bytes(_ count: Int) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        var value = Double(count)
        var unit = 0
        while value.magnitude >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return unit == 0 ? "\(count) B" : "\(fixed(value, value < 100 ? 1 : 0)) \(units[unit])"
    }

    /// A count with thousands set apart: `1 234 567`.
    static func grouped(_ count: Int) -> String {
        let digits = String(count.magnitude)
        var text = ""
        for (position, digit) in digits.enumerated() {
            if position > 0, (digits.count - position).isMultiple(of: 3) { text += " " }
            text.append(digit)
        }
        return count < 0 ? "-" + text : text
    }

    /// A count of parameters: `4.9 M`, `1.24 B`.
    static func parameters(_ count: Int) -> String {
        switch count {
        case ..<1_000_000: "\(fixed(Double(count) / 1e3, 0)) K"
        case ..<1_000_000_000: "\(fixed(Double(count) / 1e6, 1)) M"
        default: "\(fixed(Double(count) / 1e9, 2)) B"
        }
    }

    /// A rate with about three digits: `1234`, `85.3`, `7.25`.
    static func rate(_ value: Double) -> String { fixed(value, value >= 100 ? 0 : value >= 10 ? 1 : 2) }

    /// `value` with exactly `digits` (0…6) decimal places, rounded half away from zero.
    static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite, value.magnitude < 1e12 else { return "\(value)" }
        let scale = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000][min(max(digits, 0), 6)]
        let scaled = Int((value.magnitude * Double(scale)).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return sign + String(scaled) }
        let fraction = String(scaled % scale)
        return sign + String(scaled / scale) + "." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    /// Seconds of a duration.
    static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
}

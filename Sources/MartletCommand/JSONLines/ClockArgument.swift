import ChatTemplates
import Checkpoints

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The moment that a line of input names in `now`.
enum ClockArgument {
    /// `"2026-01-15 09:30:00"` (also with `T`, or the date alone) as it stands, or seconds since 1970 in the local zone.
    static func time(_ value: JSONValue) throws(CommandError) -> TemplateTime {
        if let text = value.string, let time = time(text) { return time }
        if let seconds = value.double, seconds.magnitude < 1e11, let time = localTime(seconds) { return time }
        throw CommandError(
            "'now' must be a time such as \"2026-01-15 09:30:00\", or seconds since 1970; found \(value.compactText)")
    }

    private static func time(_ text: String) -> TemplateTime? {
        let halves = text.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == " " || $0 == "T" }
        guard let date = numbers(halves[0], "-"), date.count == 3, (1...9999).contains(date[0]),
            (1...12).contains(date[1]), (1...31).contains(date[2])
        else { return nil }
        guard halves.count == 2 else { return TemplateTime(year: date[0], month: date[1], day: date[2]) }
        let parts = halves[1].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard var clock = numbers(parts[0], ":"), (2...3).contains(clock.count) else { return nil }
        if clock.count == 2 { clock.append(0) }
        guard clock[0] < 24, clock[1] < 60, clock[2] < 60, let fraction = microseconds(parts.dropFirst().first) else {
            return nil
        }
        return TemplateTime(
            year: date[0], month: date[1], day: date[2], hour: clock[0], minute: clock[1], second: clock[2],
            microsecond: fraction)
    }

    /// The numbers between separators; nil where one is empty or not made of digits.
    private static func numbers(_ text: Substring, _ separator: Character) -> [Int]? {
        var numbers: [Int] = []
        for part in text.split(separator: separator, omittingEmptySubsequences: false) {
            guard part.utf8.count <= 4, part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(part)
            else { return nil }
            numbers.append(number)
        }
        return numbers
    }

    private static func microseconds(_ digits: Substring?) -> Int? {
        guard let digits else { return 0 }
        guard (1...6).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(digits + String(repeating: "0", count: 6 - digits.utf8.count))
    }

    private static func localTime(_ seconds: Double) -> TemplateTime? {
        let whole = seconds.rounded(.down)
        var moment = time_t(whole)
        var parts = tm()
        guard localtime_r(&moment, &parts) != nil else { return nil }
        return TemplateTime(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
            hour: Int(parts.tm_hour), minute: Int(parts.tm_min), second: Int(parts.tm_sec),
            microsecond: Int((seconds - whole) * 1e6))
    }
}

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A moment of local time, for `strftime_now`: what Python's naive `datetime.now()` holds.
public struct TemplateTime: Sendable, Equatable {
    public var year: Int
    public var month: Int
    public var day: Int
    public var hour: Int
    public var minute: Int
    public var second: Int
    public var microsecond: Int

    public init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0, microsecond: Int = 0)
    {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
        self.microsecond = microsecond
    }

    /// The present local time.
    public static var current: TemplateTime {
        var moment = timespec()
        clock_gettime(CLOCK_REALTIME, &moment)
        var seconds = moment.tv_sec
        var parts = tm()
        localtime_r(&seconds, &parts)
        return TemplateTime(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
            hour: Int(parts.tm_hour), minute: Int(parts.tm_min), second: Int(parts.tm_sec),
            microsecond: Int(moment.tv_nsec) / 1000)
    }

    /// Reads `YYYY-MM-DD`, optionally followed by `T` or a blank and `HH:MM[:SS[.ffffff]]`; nil for anything else.
    public init?(_ text: String) {
        let halves = text.split(whereSeparator: { $0 == "T" || $0 == " " })
        guard let datePart = halves.first, halves.count <= 2 else { return nil }
        let date = datePart.split(separator: "-").map { Int($0) }
        guard date.count == 3, let year = date[0], let month = date[1], let day = date[2] else { return nil }
        self.init(year: year, month: month, day: day)
        if halves.count == 2 {
            let time = halves[1].split(separator: ":")
            guard (2...3).contains(time.count), let hour = Int(time[0]), let minute = Int(time[1]) else { return nil }
            (self.hour, self.minute) = (hour, minute)
            if time.count == 3 {
                let parts = time[2].split(separator: ".")
                guard let second = Int(parts[0]), parts.count <= 2 else { return nil }
                self.second = second
                if parts.count == 2 {
                    guard let fraction = Int((parts[1] + "000000").prefix(6)) else { return nil }
                    microsecond = fraction
                }
            }
        }
        let isValid =
            (1...9999).contains(year) && (1...12).contains(month) && (1...31).contains(day)
            && (0...23).contains(hour) && (0...59).contains(minute) && (0...59).contains(second)
        guard isValid else { return nil }
    }

    private var isLeapYear: Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    /// Day of the year, from 1.
    private var ordinal: Int {
        let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][min(max(month, 1), 12) - 1]
        return before + day + (month > 2 && isLeapYear ? 1 : 0)
    }

    /// 0 is Sunday.
    private var weekday: Int {
        let shifts = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4]
        let year = month < 3 ? self.year - 1 : self.year
        return (year + year / 4 - year / 100 + year / 400 + shifts[min(max(month, 1), 12) - 1] + day) % 7
    }

    /// C's `strftime` in the C locale, with Python's `%f`, and without a time zone.
    func formatted(_ format: Text) throws(TemplateError) -> Text {
        guard format.bytes.count <= 1 << 16 else {
            throw TemplateError(.limit, "the format of strftime_now is longer than 65536 bytes")
        }
        var result: [UInt8] = []
        var position = 0
        while position < format.bytes.count {
            let byte = format.bytes[position]
            position += 1
            guard byte == UInt8(ascii: "%"), position < format.bytes.count else {
                result.append(byte)
                continue
            }
            var directive = format.bytes[position]
            position += 1
            var isUnpadded = false
            if directive == UInt8(ascii: "-"), position < format.bytes.count {
                isUnpadded = true
                directive = format.bytes[position]
                position += 1
            }
            guard let text = field(Character(UnicodeScalar(directive)), isUnpadded: isUnpadded) else {
                result.append(contentsOf: [byte] + (isUnpadded ? [UInt8(ascii: "-")] : []) + [directive])
                continue
            }
            result.append(contentsOf: text.utf8)
        }
        return Text(utf8: result)
    }

    private func field(_ directive: Character, isUnpadded: Bool) -> String? {
        func padded(_ value: Int, _ width: Int = 2, with fill: String = "0") -> String {
            let text = String(value)
            return isUnpadded ? text : String(repeating: fill, count: max(0, width - text.utf8.count)) + text
        }
        let hour12 = (hour + 11) % 12 + 1
        switch directive {
        case "a": return String(TemplateTime.weekdays[weekday].prefix(3))
        case "A": return TemplateTime.weekdays[weekday]
        case "b", "h": return String(TemplateTime.months[month - 1].prefix(3))
        case "B": return TemplateTime.months[month - 1]
        case "c": return composed("%a %b %e %H:%M:%S %Y")
        case "C": return padded(year / 100)
        case "d": return padded(day)
        case "D", "x": return composed("%m/%d/%y")
        case "e": return padded(day, with: " ")
        case "f": return padded(microsecond, 6)
        case "F": return composed("%Y-%m-%d")
        case "g": return padded(isoWeek.year % 100)
        case "G": return String(isoWeek.year)
        case "H": return padded(hour)
        case "I": return padded(hour12)
        case "j": return padded(ordinal, 3)
        case "k": return padded(hour, with: " ")
        case "l": return padded(hour12, with: " ")
        case "m": return padded(month)
        case "M": return padded(minute)
        case "n": return "\n"
        case "p": return hour < 12 ? "AM" : "PM"
        case "P": return hour < 12 ? "am" : "pm"
        case "r": return composed("%I:%M:%S %p")
        case "R": return composed("%H:%M")
        case "S": return padded(second)
        case "t": return "\t"
        case "T", "X": return composed("%H:%M:%S")
        case "u": return String(weekday == 0 ? 7 : weekday)
        case "U": return padded((ordinal + 6 - weekday) / 7)
        case "V": return padded(isoWeek.week)
        case "w": return String(weekday)
        case "W": return padded((ordinal + 6 - (weekday + 6) % 7) / 7)
        case "y": return padded(year % 100)
        case "Y": return String(year)
        case "z", "Z": return ""
        case "%": return "%"
        default: return nil
        }
    }

    private func composed(_ format: String) -> String { (try? formatted(Text(format)).string) ?? "" }

    /// The ISO 8601 week and the year that it belongs to.
    private var isoWeek: (year: Int, week: Int) {
        let monday = (weekday + 6) % 7
        let week = (ordinal - 1 - monday + 10) / 7
        if week < 1 {
            let last = TemplateTime(year: year - 1, month: 12, day: 31)
            return last.isoWeek
        }
        if week == 53, TemplateTime(year: year + 1, month: 1, day: 1).weekday <= 4,
            TemplateTime(year: year + 1, month: 1, day: 1).weekday >= 1
        {
            return (year + 1, 1)
        }
        return (year, week)
    }

    private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
}

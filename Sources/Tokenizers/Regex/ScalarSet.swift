/// A set of scalars as a pattern's class means it: categories, ranges, nested sets, negation, intersection.
///
/// ASCII is answered from a bitmap, everything else by its category first.
struct ScalarSet: Sendable {
    private(set) var categories: CategorySet = []
    private(set) var ranges: [ClosedRange<UInt32>] = []
    private(set) var members: [ScalarSet] = []
    private(set) var intersections: [ScalarSet] = []
    private(set) var isNegated = false
    /// Membership of the 128 ASCII scalars.
    private(set) var ascii: (UInt64, UInt64) = (0, 0)

    init() { seal() }

    init(_ categories: CategorySet) {
        self.categories = categories
        seal()
    }

    init(_ ranges: [ClosedRange<UInt32>]) {
        self.ranges = ranges
        seal()
    }

    init(_ scalar: UInt32) { self.init([scalar...scalar]) }

    init(_ categories: CategorySet, _ ranges: [ClosedRange<UInt32>]) {
        self.categories = categories
        self.ranges = ranges
        seal()
    }

    mutating func formUnion(_ other: ScalarSet) {
        insert(other)
        seal()
    }

    /// Like `formUnion`, but `seal` must be called before the set is asked.
    mutating func insert(_ other: ScalarSet) {
        if other.members.isEmpty, other.intersections.isEmpty, !other.isNegated, intersections.isEmpty, !isNegated {
            categories.formUnion(other.categories)
            ranges += other.ranges
        } else {
            members.append(other)
        }
    }

    mutating func formIntersection(_ other: ScalarSet) {
        intersections.append(other)
        seal()
    }

    mutating func negate() {
        isNegated.toggle()
        seal()
    }

    /// Orders the ranges and answers ASCII in advance.
    mutating func seal() {
        ranges.sort { $0.lowerBound < $1.lowerBound }
        var merged: [ClosedRange<UInt32>] = []
        for range in ranges {
            if let last = merged.last, range.lowerBound <= last.upperBound {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        ranges = merged
        ascii = (0, 0)
        for scalar: UInt32 in 0..<64 where computed(scalar) { ascii.0 |= 1 << UInt64(scalar) }
        for scalar: UInt32 in 64..<128 where computed(scalar) { ascii.1 |= 1 << UInt64(scalar - 64) }
    }

    private func computed(_ scalar: UInt32) -> Bool {
        var result =
            CategoryTable.shared.contains(scalar, in: categories) || isInRanges(scalar)
            || members.contains { $0.contains(scalar) }
        if result, !intersections.isEmpty { result = intersections.allSatisfy { $0.contains(scalar) } }
        return result != isNegated
    }

    private func isInRanges(_ scalar: UInt32) -> Bool {
        var lower = 0
        var upper = ranges.count
        while lower < upper {
            let middle = (lower + upper) / 2
            if ranges[middle].upperBound < scalar { lower = middle + 1 } else { upper = middle }
        }
        return lower < ranges.count && ranges[lower].lowerBound <= scalar
    }

    @inline(__always)
    func contains(_ scalar: UInt32) -> Bool {
        if scalar < 128 {
            let word = scalar < 64 ? ascii.0 : ascii.1
            return word &>> UInt64(scalar & 63) & 1 != 0
        }
        if ranges.isEmpty, members.isEmpty, intersections.isEmpty {
            return CategoryTable.shared.contains(scalar, in: categories) != isNegated
        }
        return computed(scalar)
    }

    static let space = ScalarSet(.space)
    static let digit = ScalarSet(.decimal)
    /// Oniguruma counts the numerals of Latin-1 as letters, but no others of their category.
    static let word = ScalarSet(
        WordCharacter.categories, WordCharacter.extra + [0xB2...0xB3, 0xB9...0xB9, 0xBC...0xBE])
    static let newline = ScalarSet(0x0A)
    static let anyScalar = ScalarSet(.all)

    var complement: ScalarSet {
        var set = self
        set.negate()
        return set
    }
}

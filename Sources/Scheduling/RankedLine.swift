import DequeModule

/// A line ordered by rank: by arrival, or by priority and arrival.
///
/// Under `priority`, a sequence's rank is its time of arrival plus its priority times the time for which one level of
/// priority is worth waiting. So the order of two sequences never changes, and everyone is overtaken only by those who
/// arrive within a bounded time.
struct RankedLine: WaitingLine {
    private var line: Deque<Ticket> = []

    var count: Int { line.count }
    var first: Ticket? { line.first }
    var reordersRunning: Bool { false }
    var tickets: [Ticket] { Array(line) }

    func precedes(_ left: Ticket, _ right: Ticket) -> Bool { left.precedes(right) }

    /// O(log count) comparisons; O(1) moves at either end.
    mutating func insert(_ ticket: Ticket) {
        if let last = line.last, last.precedes(ticket) { return line.append(ticket) }
        line.insert(ticket, at: place(of: ticket))
    }

    mutating func remove(_ ticket: Ticket) {
        let index = place(of: ticket)
        if index < line.count, line[index].id == ticket.id { line.remove(at: index) }
    }

    /// Index of the first ticket that is not before this one.
    private func place(of ticket: Ticket) -> Int {
        var low = 0
        var high = line.count
        while low < high {
            let middle = (low + high) / 2
            if line[middle].precedes(ticket) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

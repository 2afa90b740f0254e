/// In which order sequences are served when not all can be.
package enum SchedulingPolicy: String, Sendable, CaseIterable {
    /// First come, first served.
    case fcfs
    /// The smallest `priority` first; who waits long overtakes.
    case priority
    /// Tenants get equal shares of the work, or shares by weight.
    case fair
}

/// A sequence's place in the order of service.
struct Ticket: Sendable, Hashable {
    let id: SequenceID
    let slot: Int
    /// Smaller is earlier; never changes.
    let rank: Int64
    let tenant: Int

    func precedes(_ other: Ticket) -> Bool { rank == other.rank ? id < other.id : rank < other.rank }
}

/// The order of those who wait: what a policy decides.
protocol WaitingLine: Sendable {
    var count: Int { get }
    /// Who is served next.
    var first: Ticket? { mutating get }
    mutating func insert(_ ticket: Ticket)
    mutating func remove(_ ticket: Ticket)
    /// Notes work done for a tenant, in units of one prompt token.
    mutating func charge(_ amount: Double, to tenant: Int)
    /// Whether running sequence `left` is served before `right`; the last of all is preempted first.
    func precedes(_ left: Ticket, _ right: Ticket) -> Bool
    /// Whether `precedes` can change while sequences run.
    var reordersRunning: Bool { get }
    var tickets: [Ticket] { get }
    /// Notes that a sequence of a tenant has arrived; returns the tenant's number.
    mutating func arrived(_ name: String) -> Int
    /// Notes that a sequence of a tenant has ended.
    mutating func left(_ tenant: Int)
}

extension WaitingLine {
    mutating func charge(_ amount: Double, to tenant: Int) {}
    mutating func arrived(_ name: String) -> Int { 0 }
    mutating func left(_ tenant: Int) {}
}

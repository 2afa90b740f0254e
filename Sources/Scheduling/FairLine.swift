import HeapModule

/// Serves the tenant first that was served least, by a virtual token counter for each (Sheng et al., "Fairness in
/// Serving Large Language Models", OSDI 2024).
///
/// A tenant's counter grows with the work done for it, divided by its weight; among those who wait, the smallest is next.
/// Who comes newly, or back after a pause, starts at the smallest counter of the others, so nobody saves up a claim.
/// As long as two tenants both wait, what they are served, over their weights, differs by a bounded amount.
struct FairLine: WaitingLine {
    private struct Tenant: Sendable {
        var counter = 0.0
        let weight: Double
        /// Sequences waiting or running.
        var sequences = 0
        var isOnHeap = false
        var line = RankedLine()
    }

    /// A tenant's counter when it was put on the heap; counters only grow, so a stale entry is too small and is put
    /// back when it comes up.
    private struct Entry: Comparable, Sendable {
        let counter: Double
        let tenant: Int

        static func < (left: Entry, right: Entry) -> Bool {
            left.counter == right.counter ? left.tenant < right.tenant : left.counter < right.counter
        }
    }

    private var names: [String: Int] = [:]
    private var tenants: [Tenant?] = []
    private var vacant: [Int] = []
    private var heap: Heap<Entry> = []
    /// Tenants with sequences, waiting or running.
    private var active: Set<Int> = []
    /// Where newcomers start when nobody else is there.
    private var floor = 0.0
    private(set) var count = 0
    private let weights: [String: Double]
    /// Number of tenants at which those that are idle are looked through.
    private var sweepSize = 1024

    /// - Parameter weights: shares of tenants, above 0; 1 for those not named.
    init(weights: [String: Double] = [:]) { self.weights = weights }

    var reordersRunning: Bool { true }

    /// Tenants that are remembered.
    var knownTenants: Int { names.count }

    var tickets: [Ticket] { tenants.flatMap { $0?.line.tickets ?? [] } }

    private func counter(of tenant: Int) -> Double { tenants[tenant]?.counter ?? 0 }

    func precedes(_ left: Ticket, _ right: Ticket) -> Bool {
        let (mine, other) = (counter(of: left.tenant), counter(of: right.tenant))
        return mine == other ? left.precedes(right) : mine < other
    }

    /// O(log tenants), amortised.
    var first: Ticket? {
        mutating get {
            while let entry = heap.min {
                guard let tenant = tenants[entry.tenant], let ticket = tenant.line.first else {
                    heap.removeMin()
                    tenants[entry.tenant]?.isOnHeap = false
                    continue
                }
                if entry.counter == tenant.counter { return ticket }
                heap.removeMin()
                heap.insert(Entry(counter: tenant.counter, tenant: entry.tenant))
            }
            return nil
        }
    }

    mutating func insert(_ ticket: Ticket) {
        tenants[ticket.tenant]?.line.insert(ticket)
        count += 1
        guard let tenant = tenants[ticket.tenant], !tenant.isOnHeap else { return }
        tenants[ticket.tenant]?.isOnHeap = true
        heap.insert(Entry(counter: tenant.counter, tenant: ticket.tenant))
    }

    mutating func remove(_ ticket: Ticket) {
        guard let before = tenants[ticket.tenant]?.line.count else { return }
        tenants[ticket.tenant]?.line.remove(ticket)
        count -= before - (tenants[ticket.tenant]?.line.count ?? 0)
    }

    mutating func charge(_ amount: Double, to tenant: Int) {
        guard let weight = tenants[tenant]?.weight else { return }
        tenants[tenant]?.counter += amount / weight
    }

    // MARK: Tenants

    mutating func arrived(_ name: String) -> Int {
        let tenant = number(of: name)
        if tenants[tenant]?.sequences == 0 {
            raiseFloor()
            let counter = max(counter(of: tenant), floor)
            tenants[tenant]?.counter = counter
            active.insert(tenant)
        }
        tenants[tenant]?.sequences += 1
        return tenant
    }

    mutating func left(_ tenant: Int) {
        tenants[tenant]?.sequences -= 1
        guard let state = tenants[tenant], state.sequences == 0 else { return }
        active.remove(tenant)
        if active.isEmpty { floor = max(floor, state.counter) }
        if names.count > sweepSize { forgetIdleTenants() }
    }

    private mutating func raiseFloor() {
        floor = max(floor, active.map { tenants[$0]?.counter ?? 0 }.min() ?? floor)
    }

    private mutating func number(of name: String) -> Int {
        if let number = names[name] { return number }
        let tenant = Tenant(weight: weights[name] ?? 1)
        let number = vacant.popLast() ?? tenants.count
        if number == tenants.count { tenants.append(tenant) } else { tenants[number] = tenant }
        names[name] = number
        return number
    }

    /// Drops tenants that would be lifted to the floor anyway: names that clients make up must not pile up.
    private mutating func forgetIdleTenants() {
        raiseFloor()
        for (name, number) in names {
            guard let tenant = tenants[number], tenant.sequences == 0, tenant.counter <= floor, !tenant.isOnHeap
            else { continue }
            names[name] = nil
            tenants[number] = nil
            vacant.append(number)
        }
        sweepSize = max(1024, 2 * names.count)
    }
}

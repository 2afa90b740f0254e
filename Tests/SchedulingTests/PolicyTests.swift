import KVCache
import Testing

@testable import Scheduling

@Suite struct PolicyTests {
    private let second: Int64 = 1_000_000_000

    private func scheduler(_ policy: SchedulingPolicy, sequences: Int = 1, weights: [String: Double] = [:]) -> Scheduler
    {
        var configuration = SchedulerConfiguration(
            maxSequences: sequences, maxBatchedTokens: 64, cache: KVCacheConfiguration(blockSize: 4, blockCount: 64))
        configuration.policy = policy
        configuration.tenantWeights = weights
        return Scheduler(configuration)
    }

    private func add(
        _ number: Int, to scheduler: inout Scheduler, count: Int = 4, priority: Int = 0, at seconds: Int64 = 0,
        tenant: String = ""
    ) {
        scheduler.add(
            SequenceID(UInt64(number)),
            SequenceRequest(
                keys: SequenceKeys(tokens: (0..<count).map { Int32(number * 1000 + $0) }), priority: priority,
                tenant: tenant, arrival: seconds * second))
    }

    /// Lets every sequence produce `outputs` tokens; returns the order in which they first ran.
    private func drain(_ scheduler: inout Scheduler, outputs: Int = 1) -> [Int] {
        var order: [Int] = []
        var produced: [SequenceID: Int] = [:]
        for _ in 0..<10_000 where !scheduler.isIdle {
            let step = scheduler.schedule()
            order += step.admitted.map { Int($0.rawValue) }
            for entry in step.entries where entry.reachesEnd {
                produced[entry.id, default: 0] += 1
                if produced[entry.id] == outputs {
                    scheduler.remove(entry.id)
                } else {
                    scheduler.append(1, to: entry.id)
                }
            }
        }
        return order
    }

    @Test func firstComeFirstServed() {
        var scheduler = scheduler(.fcfs)
        for number in 0..<5 { add(number, to: &scheduler, priority: -number) }
        #expect(drain(&scheduler) == [0, 1, 2, 3, 4])
    }

    @Test func smallerPriorityIsServedFirst() {
        var scheduler = scheduler(.priority)
        for (number, priority) in [3, -1, 0, 3, -1].enumerated() { add(number, to: &scheduler, priority: priority) }
        #expect(drain(&scheduler) == [1, 4, 2, 0, 3])
    }

    @Test func waitingOutweighsPriority() {
        var scheduler = scheduler(.priority)
        add(0, to: &scheduler, priority: 2, at: 0)
        add(1, to: &scheduler, priority: 0, at: 19)
        add(2, to: &scheduler, priority: 0, at: 21)
        #expect(drain(&scheduler) == [1, 0, 2], "one level is worth ten seconds")
    }

    @Test func absurdPrioritiesAreOrderedToo() {
        var scheduler = scheduler(.priority)
        add(0, to: &scheduler, priority: .max)
        add(1, to: &scheduler, priority: 0)
        add(2, to: &scheduler, priority: .min)
        #expect(drain(&scheduler) == [2, 1, 0])
    }

    @Test func tenantsTakeTurns() {
        var scheduler = scheduler(.fair)
        for number in 0..<4 { add(number, to: &scheduler, tenant: "flood") }
        for number in 4..<6 { add(number, to: &scheduler, tenant: "calm") }
        #expect(drain(&scheduler) == [0, 4, 1, 5, 2, 3])
    }

    @Test func weightsAreShares() {
        var scheduler = scheduler(.fair, weights: ["big": 3])
        for number in 0..<12 { add(number, to: &scheduler, tenant: number < 6 ? "big" : "small") }
        let order = drain(&scheduler).prefix(8)
        #expect(order.filter { $0 < 6 }.count == 6)
    }

    @Test func aPauseSavesNothingUp() {
        var scheduler = scheduler(.fair)
        for number in 0..<6 { add(number, to: &scheduler, tenant: "busy") }
        for _ in 0..<3 {
            let step = scheduler.schedule()
            for entry in step.entries { scheduler.remove(entry.id) }
        }
        for number in 10..<16 { add(number, to: &scheduler, tenant: "late") }
        let order = drain(&scheduler)
        #expect(order.prefix(4).filter { $0 < 10 }.count == 2, "the late tenant starts where the busy one is")
    }

    @Test func namesThatClientsMakeUpDoNotPileUp() {
        var line = FairLine()
        for number in 0..<100_000 {
            let tenant = line.arrived("tenant \(number)")
            line.charge(Double(number % 7), to: tenant)
            line.left(tenant)
        }
        #expect(line.knownTenants <= 2050)
    }

    /// Two tenants that always have someone waiting are served alike, whatever their lengths (the paper's bound).
    @Test(arguments: 0..<50)
    func serviceOfBackloggedTenantsDiffersByABound(seed: Int) {
        var random = SplitMix(state: UInt64(seed))
        var scheduler = scheduler(.fair, sequences: .random(in: 1...6, using: &random))
        var served: [String: Int] = ["a": 0, "b": 0]
        var tenantOf: [SequenceID: String] = [:]
        var left: [SequenceID: Int] = [:]
        var number = 0
        func arrive(_ tenant: String, _ scheduler: inout Scheduler) {
            let id = SequenceID(UInt64(number))
            tenantOf[id] = tenant
            left[id] = tenant == "a" ? .random(in: 1...3, using: &random) : .random(in: 10...30, using: &random)
            add(number, to: &scheduler, count: .random(in: 1...40, using: &random), tenant: tenant)
            number += 1
        }
        for _ in 0..<8 {
            arrive("a", &scheduler)
            arrive("b", &scheduler)
        }
        // The most that one admission can commit: a pool full of outputs at the price of 2.
        let bound = 2 * 2 * 64 * 4
        for _ in 0..<600 {
            let step = scheduler.schedule()
            for entry in step.entries {
                guard let tenant = tenantOf[entry.id], let state = scheduler[entry.id] else { continue }
                let outputs = max(0, entry.start + entry.count - max(entry.start, state.promptCount))
                served[tenant, default: 0] += entry.count + outputs
                guard entry.reachesEnd else { continue }
                left[entry.id, default: 0] -= 1
                if left[entry.id] == 0 {
                    scheduler.remove(entry.id)
                    arrive(tenant, &scheduler)
                } else {
                    scheduler.append(1, to: entry.id)
                }
            }
            #expect(abs((served["a"] ?? 0) - (served["b"] ?? 0)) <= bound, "seed \(seed)")
        }
        #expect((served["a"] ?? 0) > 2 * bound / 4)
    }
}

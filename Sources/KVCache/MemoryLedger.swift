/// One budget of bytes for everything that grows with use: KV blocks, adapter weights, encoder outputs.
///
/// There is no fixed partition: whoever needs bytes takes them while there are some, and what is only kept for later
/// (cached blocks, idle adapters) is given up for what is needed now.
package struct MemoryLedger: Sendable {
    package enum Account: Int, CaseIterable, Sendable {
        /// Blocks that a sequence holds or that are kept for reuse.
        case blocks
        case adapters
        case encoderOutputs
    }

    /// Bytes that all accounts together may hold.
    package let budget: Int
    private var used = Array(repeating: 0, count: Account.allCases.count)
    package private(set) var total = 0

    package init(budget: Int) { self.budget = budget }

    package var available: Int { budget - total }

    package func used(by account: Account) -> Int { used[account.rawValue] }

    /// Books `bytes` if they are available.
    mutating func charge(_ bytes: Int, to account: Account) -> Bool {
        guard bytes <= available else { return false }
        used[account.rawValue] += bytes
        total += bytes
        return true
    }

    mutating func refund(_ bytes: Int, to account: Account) {
        used[account.rawValue] -= bytes
        total -= bytes
    }
}

/// The blocks of one sequence, in the order of its positions: position p lives in block p / blockSize.
package struct BlockTable: Sendable, Equatable {
    /// Positions in a block.
    package let blockSize: Int
    package private(set) var blocks: [BlockID] = []

    package init(blockSize: Int) { self.blockSize = blockSize }

    /// Positions that the blocks can hold.
    package var capacity: Int { blocks.count * blockSize }

    /// Blocks that are missing to hold `positions`.
    package func shortage(for positions: Int) -> Int {
        max(0, (positions + blockSize - 1) / blockSize - blocks.count)
    }

    mutating func append(_ block: BlockID) { blocks.append(block) }

    mutating func replace(at index: Int, with block: BlockID) { blocks[index] = block }

    mutating func removeAll() { blocks = [] }
}

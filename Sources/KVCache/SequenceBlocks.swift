/// What one sequence holds of the cache.
package struct SequenceBlocks: Sendable {
    /// A block of the sequence that another block with the same content is to stand in for.
    struct Merge: Sendable {
        let index: Int
        /// Held already, and the sequence's node in the prefix tree.
        let block: BlockID
    }

    package internal(set) var table: BlockTable
    /// Blocks from the start that belong to the sequence's prefix.
    var sharedCount = 0
    /// Blocks from the start that are those, or nodes of the prefix tree.
    var registered = 0
    /// Whether the first block that is not full is a node as well.
    var hasTailNode = false
    /// Carried out before the next step, when both blocks hold their content.
    var merges: [Merge] = []
    /// Whether the sequence no longer adds to the tree: its path there was cut.
    var isDetached = false

    /// Cuts the sequence off from the tree: it keeps its blocks and adds nothing any more.
    package mutating func detach() { isDetached = true }

    package init(blockSize: Int) { table = BlockTable(blockSize: blockSize) }
}

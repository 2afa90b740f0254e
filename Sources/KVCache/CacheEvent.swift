/// What happened to the content of the prefix tree; whoever mirrors it (a router) can follow these alone.
package enum CacheEvent: Sendable, Equatable {
    /// A full block became findable. `parent` is the block before it; nil for the first block under `root`.
    case stored(block: BlockID, parent: BlockID?, root: RootKey, keys: [PositionKey])
    case removed(block: BlockID)
    /// Everything was forgotten.
    case cleared
}

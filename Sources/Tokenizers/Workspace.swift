import Synchronization

/// The scratch memory of one encode call, reused by later ones: buffers, pieces, the cache of words.
///
/// Never used by two threads at once: a call takes a workspace out of the pool and puts it back.
final class Workspace: @unchecked Sendable {
    let cache = WordCache()
    let merging = MergeSpace()
    let segment = SegmentSpace()
    var scores: [Double] = []
    var steps: [(start: Int32, id: Int32)] = []

    /// Gives back the memory that a single very long text has needed.
    func shrink() {
        merging.shrink(to: 1 << 16)
        segment.shrink()
        if scores.capacity > 1 << 16 { scores = [] }
        if steps.capacity > 1 << 16 { steps = [] }
    }
}

/// Workspaces that are not in use; at most `limit` are kept.
final class WorkspacePool: Sendable {
    private let idle = Mutex<[Workspace]>([])
    private static let limit = 16

    func withWorkspace<R>(_ body: (Workspace) -> R) -> R {
        let workspace = idle.withLock { $0.popLast() } ?? Workspace()
        defer {
            workspace.shrink()
            idle.withLock { if $0.count < Self.limit { $0.append(workspace) } }
        }
        return body(workspace)
    }
}

/// When an engine that has nothing to do gives memory back.
///
/// Blank blocks are given back soon; what is kept for reuse only after a long time, since using it again saves work.
struct IdleMemory {
    enum Action {
        /// Give back what holds nothing.
        case releaseBlank
        /// Give up what is kept as well.
        case releaseAll
    }

    /// Shorter pauses are not worth the system calls.
    private static let pause = Duration.seconds(2)

    private let timeout: Duration?
    private var idleSince: ContinuousClock.Instant?
    private var next: Action? = .releaseBlank

    init(timeout: Double?) { self.timeout = timeout.map { .seconds($0) } }

    /// Something was to do.
    mutating func wake() {
        idleSince = nil
        next = .releaseBlank
    }

    /// How long to wait for work before `act`; nil is for ever.
    mutating func wait(from now: ContinuousClock.Instant) -> Duration? {
        let since = idleSince ?? now
        idleSince = since
        switch next {
        case .releaseBlank: return max(.zero, since + Self.pause - now)
        case .releaseAll: return timeout.map { max(.zero, since + max($0, Self.pause) - now) }
        case nil: return nil
        }
    }

    /// What the end of the wait asks for.
    mutating func act() -> Action? {
        defer { next = next.flatMap { if case .releaseBlank = $0, timeout != nil { .releaseAll } else { nil } } }
        return next
    }
}

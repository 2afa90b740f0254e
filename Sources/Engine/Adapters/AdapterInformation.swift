/// What clients may know of a loaded adapter.
public struct AdapterInformation: Sendable, Equatable {
    /// The name that requests use.
    public let name: String
    /// The folder it was loaded from, or its name in the HuggingFace cache.
    public let path: String
    /// PEFT's kind, such as `lora`.
    public let kind: String
    /// Ranks of its low-rank changes, ascending.
    public let ranks: [Int]
    /// SHA-256 of what was loaded, in hexadecimal digits.
    public let digest: String
    /// Bytes of its packed weights, and of its keys and values in the cache.
    public let byteCount: Int
    /// Whether it switches on at an invocation in the prompt (Activated LoRA).
    public let isActivated: Bool
    /// Positions that it puts before the prompt.
    public internal(set) var virtualTokens = 0
    /// Tasks among which a request chooses; 1 where there is no choice.
    public internal(set) var taskCount = 1
    /// Unix time at which loading finished.
    public let created: Int
    /// Token ids that its requests may use: the model's, and those of the adapter's own.
    public internal(set) var vocabularySize = 0
    /// Seconds that the latest loading took.
    public internal(set) var loadSeconds = 0.0
    /// Unix time at which a request last asked for it; nil before the first.
    public internal(set) var lastUsed: Int?
    /// Whether it is in memory now; if not it is loaded when a request asks for it.
    public internal(set) var isResident = true
    /// Whether it stays in memory.
    public internal(set) var isPinned = false

    package init(
        name: String, path: String, kind: String, ranks: [Int], digest: String, byteCount: Int, isActivated: Bool,
        created: Int
    ) {
        self.name = name
        self.path = path
        self.kind = kind
        self.ranks = ranks
        self.digest = digest
        self.byteCount = byteCount
        self.isActivated = isActivated
        self.created = created
    }
}

/// An adapter that a request asks for; a literal of its name is the adapter in full.
public struct AdapterSelection: Sendable, Equatable, ExpressibleByStringLiteral {
    public var name: String
    /// Weight of its changes.
    public var scale: Double
    /// Which task of a multitask prompt.
    public var task: Int?

    public init(_ name: String, scale: Double = 1, task: Int? = nil) {
        self.name = name
        self.scale = scale
        self.task = task
    }

    public init(stringLiteral name: String) { self.init(name) }
}

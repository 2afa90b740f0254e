/// Bounds on what one template may cost, so that neither template nor input can hang the process or exhaust memory.
public struct TemplateLimits: Sendable {
    /// Longest template source, in bytes.
    public var sourceBytes = 1 << 20
    /// Units of work per rendering: one per evaluated node or element, and per few bytes of text.
    public var steps = 10_000_000
    /// Bytes of all strings, lists and dictionaries that one rendering creates, counted without what it frees.
    public var allocatedBytes = 256 << 20
    /// Longest rendering, in bytes.
    public var outputBytes = 64 << 20
    /// Deepest nesting of expressions and blocks in the template's source.
    public var sourceDepth = 120
    /// Deepest nesting of evaluation: blocks, expressions, macro calls and recursive loops together.
    public var callDepth = 600
    /// Deepest nesting of lists, tuples, dictionaries and iterators in a value.
    public var valueDepth = 520

    public static let `default` = TemplateLimits()

    public init() {}
}

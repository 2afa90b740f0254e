/// A value of the template language: what Python objects are to Jinja.
///
/// Lists, tuples and dictionaries cannot change once made, since the sandbox refuses every method that would.
enum Value {
    case undefined(Undefined)
    case none
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(Text)
    case list(Elements)
    case tuple(Elements)
    case dict(Mapping)
    case range(RangeValue)
    case view(DictionaryView)
    case iterator(ValueIterator)
    case namespace(Namespace)
    case loop(LoopContext)
    case macro(Macro)
    case method(BoundMethod)
    case function(GlobalFunction)
    case cycler(Cycler)
    case joiner(Joiner)
}

/// The elements of a list or a tuple.
final class Elements {
    let values: [Value]
    let depth: Int
    /// The names of a named tuple's elements (`groupby` makes such).
    let names: [Text]

    init(_ values: [Value], names: [Text] = []) {
        self.values = values
        self.names = names
        depth = values.reduce(0) { Swift.max($0, $1.depth) } + 1
    }
}

/// Why a value is undefined; the error's text if it is used after all.
final class Undefined {
    let message: String
    let kind: TemplateError.Kind

    init(_ message: String, kind: TemplateError.Kind = .undefined) {
        self.message = message
        self.kind = kind
    }

    convenience init(name: String) { self.init("'\(name)' is undefined") }

    var error: TemplateError { TemplateError(kind, message) }
}

/// Python's `range` object: at most ``largest`` numbers, the limit of Jinja's sandbox.
final class RangeValue {
    static let largest = 100_000
    let start: Int
    let stop: Int
    let step: Int
    let count: Int

    /// nil when the range has more than 2^63 members.
    init?(start: Int, stop: Int, step: Int) {
        self.start = start
        self.stop = stop
        self.step = step
        let isEmpty = step > 0 ? start >= stop : start <= stop
        if isEmpty {
            count = 0
        } else {
            let (distance, overflow) =
                step > 0
                ? stop.subtractingReportingOverflow(start)
                : start.subtractingReportingOverflow(stop)
            if overflow || step == .min { return nil }
            count = (distance - 1) / abs(step) + 1
        }
    }

    subscript(position: Int) -> Int { start + position * step }
}

/// What `dict.keys()`, `.values()` and `.items()` return.
final class DictionaryView {
    enum Kind: String {
        case keys
        case values
        case items
    }

    let kind: Kind
    let dictionary: Mapping

    init(_ kind: Kind, of dictionary: Mapping) {
        self.kind = kind
        self.dictionary = dictionary
    }

    var values: [Value] {
        switch kind {
        case .keys: dictionary.table.keys
        case .values: dictionary.table.values
        case .items: zip(dictionary.table.keys, dictionary.table.values).map { .tuple(Elements([$0, $1])) }
        }
    }
}

/// A one-pass sequence, produced as it is consumed: what Python's generators and iterators are.
final class ValueIterator {
    typealias Body = (Interpreter) throws(TemplateError) -> Value?

    let name: String
    let depth: Int
    private var body: Body?

    /// `depth` counts the iterators that this one draws from.
    init(_ name: String, depth: Int, _ body: @escaping Body) {
        self.name = name
        self.depth = depth + 1
        self.body = body
    }

    convenience init(_ name: String, _ values: [Value]) {
        var position = 0
        let depth = values.reduce(0) { Swift.max($0, $1.depth) }
        self.init(name, depth: depth) { _ in
            guard position < values.count else { return nil }
            position += 1
            return values[position - 1]
        }
    }

    func next(_ interpreter: Interpreter) throws(TemplateError) -> Value? {
        guard let current = body else { return nil }
        // A generator that is asked for its next value by itself is an error in Python; here it has ended.
        body = nil
        let value: Value?
        try interpreter.enter()
        value = try current(interpreter)
        interpreter.leave()
        if value != nil { body = current }
        return value
    }
}

/// `namespace(…)`: the one kind of object whose attributes a template may set.
final class Namespace {
    var attributes: MappingTable

    init(_ attributes: MappingTable) { self.attributes = attributes }
}

/// A method looked up on a value, not called yet.
final class BoundMethod {
    let receiver: Value
    let name: String

    init(_ receiver: Value, _ name: String) {
        self.receiver = receiver
        self.name = name
    }
}

final class Cycler {
    let items: [Value]
    var position = 0

    init(_ items: [Value]) { self.items = items }
}

final class Joiner {
    let separator: Value
    var isUsed = false

    init(_ separator: Value) { self.separator = separator }
}

extension Value {
    static func string(_ text: String) -> Value { .string(Text(text)) }
    static func list(_ values: [Value]) -> Value { .list(Elements(values)) }
    static func tuple(_ values: [Value]) -> Value { .tuple(Elements(values)) }
    static func undefined(_ message: String) -> Value { .undefined(Undefined(message)) }

    var isUndefined: Bool { if case .undefined = self { true } else { false } }

    /// How deeply containers and iterators nest in this value.
    var depth: Int {
        switch self {
        case .list(let elements), .tuple(let elements): elements.depth
        case .dict(let dictionary): dictionary.depth
        case .view(let view): view.dictionary.depth + 1
        case .iterator(let iterator): iterator.depth
        case .method(let method): method.receiver.depth + 1
        case .cycler(let cycler): cycler.items.reduce(0) { Swift.max($0, $1.depth) } + 1
        case .joiner(let joiner): joiner.separator.depth + 1
        default: 0
        }
    }

    /// The name of the value's type as Python's messages give it.
    var typeName: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "NoneType"
        case .bool: "bool"
        case .int: "int"
        case .double: "float"
        case .string: "str"
        case .list: "list"
        case .tuple: "tuple"
        case .dict: "dict"
        case .range: "range"
        case .view(let view): "dict_\(view.kind.rawValue)"
        case .iterator: "generator"
        case .namespace: "Namespace"
        case .loop: "LoopContext"
        case .macro: "Macro"
        case .method: "builtin_function_or_method"
        case .function: "function"
        case .cycler: "Cycler"
        case .joiner: "Joiner"
        }
    }

    /// Python's truth value.
    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let value): value
        case .int(let value): value != 0
        case .double(let value): value != 0
        case .string(let text): !text.isEmpty
        case .list(let elements), .tuple(let elements): !elements.values.isEmpty
        case .dict(let dictionary): dictionary.table.count > 0
        case .range(let range): range.count > 0
        case .view(let view): view.dictionary.table.count > 0
        default: true
        }
    }

    /// The value as an integer where Python would take one (`__index__`).
    var index: Int? {
        switch self {
        case .int(let value): value
        case .bool(let value): value ? 1 : 0
        default: nil
        }
    }
}

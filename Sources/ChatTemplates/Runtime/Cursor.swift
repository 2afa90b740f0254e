/// A position in a sequence that is being iterated.
enum Cursor {
    case values([Value], Int)
    case range(RangeValue, Int)
    case iterator(ValueIterator)

    mutating func next(_ interpreter: Interpreter) throws(TemplateError) -> Value? {
        switch self {
        case .values(let values, let position):
            guard position < values.count else { return nil }
            self = .values(values, position + 1)
            return values[position]
        case .range(let range, let position):
            guard position < range.count else { return nil }
            self = .range(range, position + 1)
            return .int(range[position])
        case .iterator(let iterator): return try iterator.next(interpreter)
        }
    }

    /// The number of values from the start, where known before they are produced.
    var count: Int? {
        switch self {
        case .values(let values, _): values.count
        case .range(let range, _): range.count
        case .iterator: nil
        }
    }
}

extension Interpreter {
    /// Starts iterating over `value`. Errors: `runtime` for what is not iterable.
    func cursor(over value: Value) throws(TemplateError) -> Cursor {
        switch value {
        case .undefined: return .values([], 0)
        case .list(let elements), .tuple(let elements): return .values(elements.values, 0)
        case .dict(let mapping): return .values(mapping.table.keys, 0)
        case .string(let text):
            try charge(elements: text.bytes.count)
            return .values(text.characters.map { .string($0) }, 0)
        case .range(let range): return .range(range, 0)
        case .view(let view):
            try charge(elements: view.dictionary.table.count)
            return .values(view.values, 0)
        case .iterator(let iterator): return .iterator(iterator)
        case .loop(let loop):
            return .iterator(
                ValueIterator("loop", depth: 0) { interpreter throws(TemplateError) in
                    guard let item = try loop.advance(interpreter) else { return nil }
                    return .tuple([item, .loop(loop)])
                })
        default: throw TemplateError(.runtime, "'\(value.typeName)' object is not iterable")
        }
    }

    /// All values of an iterable.
    func elements(of value: Value) throws(TemplateError) -> [Value] {
        switch try cursor(over: value) {
        case .values(let values, _):
            try step(values.count)
            return values
        case .range(let range, _):
            try charge(elements: range.count)
            return (0..<range.count).map { .int(range[$0]) }
        case .iterator(let iterator):
            var values: [Value] = []
            while let next = try iterator.next(self) {
                try charge(bytes: 16)
                try step()
                values.append(next)
            }
            return values
        }
    }

    func isIterable(_ value: Value) -> Bool {
        switch value {
        case .undefined, .list, .tuple, .dict, .string, .range, .view, .iterator, .loop: true
        default: false
        }
    }

    /// Python's `len`. Errors: `runtime` for what has no length.
    func length(of value: Value) throws(TemplateError) -> Int {
        switch value {
        case .undefined: return 0
        case .string(let text):
            if !text.isASCII { try step(text.bytes.count / 32) }
            return text.count
        case .list(let elements), .tuple(let elements): return elements.values.count
        case .dict(let mapping): return mapping.table.count
        case .range(let range): return range.count
        case .view(let view): return view.dictionary.table.count
        case .loop(let loop): return try loop.length(self)
        default: throw TemplateError(.runtime, "object of type '\(value.typeName)' has no len()")
        }
    }
}

extension Interpreter {
    /// `value.name`: an attribute or method if the type has one of that name, else the item `value[name]`.
    func attribute(_ name: Text, of value: Value) throws(TemplateError) -> Value {
        if case .undefined(let undefined) = value {
            if Methods.hasInternal(name.string, value) { return unsafe(name, of: value) }
            throw undefined.error
        }
        if let found = try member(name, of: value) { return found }
        if case .dict(let mapping) = value, let item = mapping.table.value(for: name) { return item }
        return missing(name, of: value)
    }

    /// `value[key]`: the item if there is one, else for a string the attribute or method of that name.
    func item(_ key: Value, of value: Value) throws(TemplateError) -> Value {
        switch value {
        case .undefined(let undefined): throw undefined.error
        case .dict(let mapping):
            if case .string(let name) = key {
                if let found = mapping.table.value(for: name) { return found }
            } else if let key = try? MappingKey(checking: key), let found = mapping.table.value(for: key) {
                return found
            }
        case .list(let elements), .tuple(let elements):
            if let position = position(key, count: elements.values.count) { return elements.values[position] }
        case .string(let text):
            if key.index != nil {
                if !text.isASCII { try step(text.bytes.count / 8) }
                if let position = position(key, count: text.count) {
                    return .string(text.slice(position, position + 1))
                }
            }
        case .range(let range): if let position = position(key, count: range.count) { return .int(range[position]) }
        default: break
        }
        if case .string(let name) = key {
            return try member(name, of: value) ?? missing(name, of: value)
        }
        let shown = try repr(of: key).string
        return .undefined("\(objectName(of: value)) has no element \(shown)")
    }

    private func position(_ key: Value, count: Int) -> Int? {
        guard let index = key.index else { return nil }
        let position = index < 0 ? index + count : index
        return (0..<count).contains(position) ? position : nil
    }

    private func missing(_ name: Text, of value: Value) -> Value {
        .undefined("'\(objectName(of: value))' has no attribute '\(name.string)'")
    }

    private func objectName(of value: Value) -> String {
        if case .none = value { return "None" }
        return value.typeName + " object"
    }

    /// What Python's `getattr` finds. What the sandbox forbids is an undefined value that says so when it is used.
    private func member(_ name: Text, of value: Value) throws(TemplateError) -> Value? {
        switch value {
        case .namespace(let namespace):
            if let found = namespace.attributes.value(for: name) { return found }
        case .loop(let loop):
            if let found = try member(name.string, of: loop) { return found }
        case .tuple(let elements):
            if let position = elements.names.firstIndex(of: name) { return elements.values[position] }
        case .cycler(let cycler):
            switch name.string {
            case "current": return cycler.items[cycler.position]
            case "items": return .tuple(cycler.items)
            case "pos": return .int(cycler.position)
            case "next", "reset": return .method(BoundMethod(value, name.string))
            default: break
            }
        case .joiner(let joiner):
            if name == "sep" { return joiner.separator }
            if name == "used" { return .bool(joiner.isUsed) }
        case .macro(let macro):
            if let found = member(name.string, of: macro) { return found }
        case .int, .bool:
            if name == "real" || name == "numerator", let integer = value.index { return .int(integer) }
            if name == "imag" { return .int(0) }
            if name == "denominator" { return .int(1) }
        case .double:
            if name == "real" { return value }
            if name == "imag" { return .double(0) }
        case .range(let range):
            if name == "start" { return .int(range.start) }
            if name == "stop" { return .int(range.stop) }
            if name == "step" { return .int(range.step) }
        default: break
        }
        if name.bytes.first == UInt8(ascii: "_") {
            return Methods.hasInternal(name.string, value) ? unsafe(name, of: value) : nil
        }
        switch Methods.access(name.string, on: value) {
        case .none: return nil
        case .unsafe: return unsafe(name, of: value)
        case .safe: return .method(BoundMethod(value, name.string))
        }
    }

    private func unsafe(_ name: Text, of value: Value) -> Value {
        .undefined(
            Undefined(
                "access to attribute '\(name.string)' of '\(value.typeName)' object is unsafe.", kind: .security))
    }

    private func member(_ name: String, of loop: LoopContext) throws(TemplateError) -> Value? {
        switch name {
        case "index": .int(loop.index0 + 1)
        case "index0": .int(loop.index0)
        case "revindex": .int(try loop.length(self) - loop.index0)
        case "revindex0": .int(try loop.length(self) - loop.index0 - 1)
        case "first": .bool(loop.index0 == 0)
        case "last": .bool(try loop.isLast(self))
        case "length": .int(try loop.length(self))
        case "previtem": loop.previous()
        case "nextitem": try loop.following(self)
        case "depth": .int(loop.depth0 + 1)
        case "depth0": .int(loop.depth0)
        case "cycle", "changed": .method(BoundMethod(.loop(loop), name))
        default: nil
        }
    }

    private func member(_ name: String, of macro: Macro) -> Value? {
        let node = macro.node
        return switch name {
        case "name": node.name.map { .string($0) } ?? Value.none
        case "arguments": .tuple(node.parameters.map { .string($0.name) })
        case "catch_kwargs": .bool(node.usesKeywords)
        case "catch_varargs": .bool(node.usesPositional)
        case "caller": .bool(node.usesCaller)
        case "explicit_caller": .bool(node.parameters.contains { $0.name == "caller" })
        default: nil
        }
    }

    // MARK: Slices

    /// Python's `value[start:stop:step]`.
    func slice(_ value: Value, _ start: Value, _ stop: Value, _ step: Value) throws(TemplateError) -> Value {
        if case .undefined(let undefined) = value { throw undefined.error }
        let count: Int
        switch value {
        case .string, .list, .tuple, .range: count = try length(of: value)
        default: throw TemplateError(.runtime, "'\(value.typeName)' object is not subscriptable by a slice")
        }
        let stepSize = try sliceIndex(step) ?? 1
        guard stepSize != 0 else { throw TemplateError(.runtime, "slice step cannot be zero") }
        let lower = stepSize > 0 ? 0 : -1
        let upper = stepSize > 0 ? count : count - 1
        func clamp(_ index: Int?, _ fallback: Int) -> Int {
            guard let index else { return fallback }
            return min(max(index < 0 ? index.addingReportingOverflow(count).partialValue : index, lower), upper)
        }
        let first = clamp(try sliceIndex(start), stepSize > 0 ? lower : upper)
        let last = clamp(try sliceIndex(stop), stepSize > 0 ? upper : lower)
        if stepSize == 1 { return try contiguous(value, first, max(first, last)) }
        let positions = Array(stride(from: first, to: last, by: max(stepSize, -Int.max)))
        return try select(value, positions)
    }

    private func sliceIndex(_ value: Value) throws(TemplateError) -> Int? {
        if case .none = value { return nil }
        if case .undefined(let undefined) = value { throw undefined.error }
        guard let index = value.index else {
            throw TemplateError(.runtime, "slice indices must be integers or None or have an __index__ method")
        }
        return index
    }

    private func contiguous(_ value: Value, _ first: Int, _ last: Int) throws(TemplateError) -> Value {
        switch value {
        case .string(let text):
            if !text.isASCII { try self.step(text.bytes.count / 8) }
            return try string(text.slice(first, last))
        case .list(let elements): return try list(Array(elements.values[first..<last]))
        case .tuple(let elements): return try tuple(Array(elements.values[first..<last]))
        default: return try select(value, Array(first..<last))
        }
    }

    private func select(_ value: Value, _ positions: [Int]) throws(TemplateError) -> Value {
        try charge(elements: positions.count)
        switch value {
        case .string(let text):
            if text.isASCII { return try string(Text(ascii: positions.map { text.bytes[$0] })) }
            try charge(bytes: text.bytes.count * 4)
            let scalars = Array(text.scalars)
            return try string(Text(scalars: positions.map { scalars[$0] }))
        case .list(let elements): return try list(positions.map { elements.values[$0] })
        case .tuple(let elements): return try tuple(positions.map { elements.values[$0] })
        case .range(let range):
            let values = positions.map { range[$0] }
            let step = values.count > 1 ? values[1] - values[0] : range.step
            let start = values.first ?? range.start
            let stop = values.last.map { $0 + (step > 0 ? 1 : -1) } ?? start
            return RangeValue(start: start, stop: stop, step: step).map { .range($0) } ?? .none
        default: return .none
        }
    }
}

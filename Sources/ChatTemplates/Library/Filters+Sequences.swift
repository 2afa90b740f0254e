extension Filters {
    static let length: Filter = { interpreter, value, arguments throws(TemplateError) in
        _ = try arguments.bind("length", [])
        return .int(try interpreter.length(of: value))
    }

    static let first: Filter = { interpreter, value, arguments throws(TemplateError) in
        _ = try arguments.bind("first", [])
        var cursor = try interpreter.cursor(over: value)
        return try cursor.next(interpreter) ?? .undefined("No first item, sequence was empty.")
    }

    static let last: Filter = { interpreter, value, arguments throws(TemplateError) in
        _ = try arguments.bind("last", [])
        if case .iterator(let iterator) = value {
            throw TemplateError(.runtime, "'\(iterator.name)' object is not reversible")
        }
        return try interpreter.elements(of: value).last ?? .undefined("No last item, sequence was empty.")
    }

    static let list: Filter = { interpreter, value, arguments throws(TemplateError) in
        _ = try arguments.bind("list", [])
        return try interpreter.list(try interpreter.elements(of: value))
    }

    static let reverse: Filter = { interpreter, value, arguments throws(TemplateError) in
        _ = try arguments.bind("reverse", [])
        if case .string(let text) = value {
            try interpreter.charge(bytes: text.bytes.count * 4)
            return .string(Text(scalars: text.scalars.reversed()))
        }
        guard interpreter.isIterable(value) else { throw TemplateError(.runtime, "argument must be iterable") }
        let values = try interpreter.elements(of: value)
        try interpreter.charge(elements: values.count)
        if case .iterator = value { return .list(values.reversed()) }
        return try interpreter.checked(.iterator(ValueIterator("reversed", values.reversed())))
    }

    static let items: Filter = { interpreter, value, arguments throws(TemplateError) in
        _ = try arguments.bind("items", [])
        if value.isUndefined { return .iterator(ValueIterator("do_items", [])) }
        guard case .dict(let mapping) = value else {
            throw TemplateError(.runtime, "Can only get item pairs from a mapping.")
        }
        try interpreter.charge(elements: mapping.table.count * 3)
        return try interpreter.checked(
            .iterator(ValueIterator("do_items", DictionaryView(.items, of: mapping).values)))
    }

    static let join: Filter = { interpreter, value, arguments throws(TemplateError) in
        let bound = try arguments.bind("join", ["d", "attribute"])
        let separator = try interpreter.text(of: bound[0] ?? .string(.empty))
        let path = interpreter.path(bound[1])
        var bytes: [UInt8] = []
        var cursor = try interpreter.cursor(over: value)
        var isFirst = true
        while let element = try cursor.next(interpreter) {
            try interpreter.step()
            if !isFirst { bytes.append(contentsOf: separator.bytes) }
            isFirst = false
            bytes.append(contentsOf: try interpreter.text(of: try interpreter.follow(path, from: element)).bytes)
            try interpreter.checkSize(bytes.count)
        }
        return try interpreter.string(Text(utf8: bytes))
    }

    static let sum: Filter = { interpreter, value, arguments throws(TemplateError) in
        let bound = try arguments.bind("sum", ["attribute", "start"])
        var total = bound[1] ?? .int(0)
        if case .string = total {
            throw TemplateError(.runtime, "sum() can't sum strings [use ''.join(seq) instead]")
        }
        let path = interpreter.path(bound[0])
        var cursor = try interpreter.cursor(over: value)
        while let element = try cursor.next(interpreter) {
            try interpreter.step()
            total = try interpreter.apply(.add, total, try interpreter.follow(path, from: element))
        }
        return total
    }

    // MARK: Order

    static let sort: Filter = { interpreter, value, arguments throws(TemplateError) in
        let bound = try arguments.bind("sort", ["reverse", "case_sensitive", "attribute"])
        var elements = try interpreter.elements(of: value)
        let keepsCase = bound[1]?.isTrue ?? false
        var paths = [interpreter.path(bound[2])]
        if case .string(let text) = bound[2] {
            paths = text.bytes.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map {
                interpreter.path(.string(Text(utf8: $0)))
            }
        }
        try interpreter.sort(&elements, reverse: bound[0]?.isTrue ?? false) { element throws(TemplateError) in
            var keys: [Value] = []
            for path in paths {
                let key = try interpreter.follow(path, from: element)
                keys.append(keepsCase ? key : try interpreter.ignoringCase(key))
            }
            return .list(keys)
        }
        return try interpreter.list(elements)
    }

    static let dictsort: Filter = { interpreter, value, arguments throws(TemplateError) in
        let bound = try arguments.bind("dictsort", ["case_sensitive", "by", "reverse"])
        let by = try (bound[1] ?? .string("key")).text("dictsort() argument 'by'")
        guard by == "key" || by == "value" else {
            throw TemplateError(.runtime, "You can only sort by either \"key\" or \"value\"")
        }
        guard case .dict(let mapping) = value else {
            throw TemplateError(.runtime, "'\(value.typeName)' object has no attribute 'items'")
        }
        let keepsCase = bound[0]?.isTrue ?? false
        var pairs = Array(zip(mapping.table.keys, mapping.table.values))
        try interpreter.charge(elements: pairs.count * 3)
        try interpreter.sort(&pairs, reverse: bound[2]?.isTrue ?? false) { pair throws(TemplateError) in
            let key = by == "key" ? pair.0 : pair.1
            return keepsCase ? key : try interpreter.ignoringCase(key)
        }
        return try interpreter.list(pairs.map { .tuple([$0, $1]) })
    }

    static let min: Filter = { interpreter, value, arguments throws(TemplateError) in
        try extreme("min", .less, interpreter, value, arguments)
    }

    static let max: Filter = { interpreter, value, arguments throws(TemplateError) in
        try extreme("max", .greater, interpreter, value, arguments)
    }

    private static func extreme(
        _ name: String, _ comparison: Comparison, _ interpreter: Interpreter, _ value: Value,
        _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bind(name, ["case_sensitive", "attribute"])
        let keepsCase = bound[0]?.isTrue ?? false
        let path = interpreter.path(bound[1])
        var cursor = try interpreter.cursor(over: value)
        var best: (key: Value, element: Value)?
        while let element = try cursor.next(interpreter) {
            try interpreter.step()
            var key = try interpreter.follow(path, from: element)
            if !keepsCase { key = try interpreter.ignoringCase(key) }
            if let current = best, !(try interpreter.compare(key, comparison, current.key)) { continue }
            best = (key, element)
        }
        return best?.element ?? .undefined("No aggregated item, sequence was empty.")
    }

    static let unique: Filter = { interpreter, value, arguments throws(TemplateError) in
        let bound = try arguments.bind("unique", ["case_sensitive", "attribute"])
        let keepsCase = bound[0]?.isTrue ?? false
        let path = interpreter.path(bound[1])
        var cursor = try interpreter.cursor(over: value)
        var seen: Set<MappingKey> = []
        return try interpreter.checked(
            .iterator(
                ValueIterator("sync_do_unique", depth: value.depth) { interpreter throws(TemplateError) in
                    while let element = try cursor.next(interpreter) {
                        try interpreter.charge(elements: 1)
                        var key = try interpreter.follow(path, from: element)
                        if !keepsCase { key = try interpreter.ignoringCase(key) }
                        if seen.insert(try MappingKey(checking: key)).inserted { return element }
                    }
                    return nil
                }))
    }

    static let groupby: Filter = { interpreter, value, arguments throws(TemplateError) in
        let bound = try arguments.bind("groupby", ["attribute", "default", "case_sensitive"], required: 1)
        let path = interpreter.path(bound[0])
        let fallback = bound[1].isNone ? nil : bound[1]
        let keepsCase = bound[2]?.isTrue ?? false
        var elements = try interpreter.elements(of: value)
        func key(_ element: Value) throws(TemplateError) -> Value {
            let key = try interpreter.follow(path, from: element, fallback: fallback)
            return keepsCase ? key : try interpreter.ignoringCase(key)
        }
        try interpreter.sort(&elements, reverse: false, key)
        var groups: [(key: Value, members: [Value])] = []
        for element in elements {
            let key = try key(element)
            try interpreter.charge(elements: 2)
            if let last = groups.last, last.key.isEqual(to: key) {
                groups[groups.count - 1].members.append(element)
            } else {
                groups.append((key, [element]))
            }
        }
        var result: [Value] = []
        for group in groups {
            let shown = keepsCase ? group.key : try interpreter.follow(path, from: group.members[0], fallback: fallback)
            result.append(.tuple(Elements([shown, .list(group.members)], names: ["grouper", "list"])))
        }
        return try interpreter.list(result)
    }

    // MARK: Portions

    static let batch: Filter = { interpreter, value, arguments throws(TemplateError) in
        let bound = try arguments.bind("batch", ["linecount", "fill_with"], required: 1)
        let count = bound[0] ?? .none
        let fill = bound[1].isNone ? nil : bound[1]
        var cursor = try interpreter.cursor(over: value)
        var pending: Value?
        return try interpreter.checked(
            .iterator(
                ValueIterator("do_batch", depth: value.depth) { interpreter throws(TemplateError) in
                    var row: [Value] = []
                    if let first = pending { row.append(first) }
                    pending = nil
                    while let element = try cursor.next(interpreter) {
                        try interpreter.charge(elements: 1)
                        if Value.int(row.count).isEqual(to: count) {
                            pending = element
                            return .list(row)
                        }
                        row.append(element)
                    }
                    if row.isEmpty { return nil }
                    if let fill, try interpreter.compare(.int(row.count), .less, count) {
                        let missing = try count.integer("batch()") - row.count
                        try interpreter.charge(elements: missing)
                        row += Array(repeating: fill, count: missing)
                    }
                    return .list(row)
                }))
    }

    static let slice: Filter = { interpreter, value, arguments throws(TemplateError) in
        let bound = try arguments.bind("slice", ["slices", "fill_with"], required: 1)
        let count = try (bound[0] ?? .none).integer("slice()")
        let fill = bound[1].isNone ? nil : bound[1]
        let elements = try interpreter.elements(of: value)
        guard count != 0 else { throw TemplateError(.runtime, "integer division or modulo by zero") }
        guard count > 0 else { return .iterator(ValueIterator("sync_do_slice", [])) }
        try interpreter.charge(elements: count + elements.count)
        let (size, extra) = elements.count.quotientAndRemainder(dividingBy: count)
        var offset = 0
        var columns: [Value] = []
        for column in 0..<count {
            let end = offset + size + (column < extra ? 1 : 0)
            try interpreter.charge(elements: 1)
            var part = Array(elements[offset..<end])
            if let fill, column >= extra { part.append(fill) }
            columns.append(.list(part))
            offset = end
        }
        return try interpreter.checked(.iterator(ValueIterator("sync_do_slice", columns)))
    }
}

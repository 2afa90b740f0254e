/// The methods that values have, by name: those a template may call, and those that the sandbox refuses.
enum Methods {
    enum Access {
        case none
        case safe
        case unsafe
    }

    private static let text: Set<String> = [
        "capitalize", "casefold", "center", "count", "encode", "endswith", "expandtabs", "find", "format",
        "format_map", "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower",
        "isnumeric", "isprintable", "isspace", "istitle", "isupper", "join", "ljust", "lower", "lstrip", "maketrans",
        "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust", "rpartition", "rsplit",
        "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title", "translate", "upper", "zfill",
    ]
    private static let list: Set<String> = ["copy", "count", "index"]
    private static let listUnsafe: Set<String> = [
        "append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove",
    ]
    private static let dict: Set<String> = ["copy", "fromkeys", "get", "items", "keys", "values"]
    private static let dictUnsafe: Set<String> = ["clear", "pop", "popitem", "setdefault", "update"]
    private static let int: Set<String> = [
        "as_integer_ratio", "bit_count", "bit_length", "conjugate", "from_bytes", "is_integer", "to_bytes",
    ]
    private static let double: Set<String> = ["as_integer_ratio", "conjugate", "fromhex", "hex", "is_integer"]

    static func access(_ name: String, on value: Value) -> Access {
        switch value {
        case .string: text.contains(name) ? .safe : .none
        case .list: list.contains(name) ? .safe : listUnsafe.contains(name) ? .unsafe : .none
        case .tuple: name == "count" || name == "index" ? .safe : .none
        case .dict: dict.contains(name) ? .safe : dictUnsafe.contains(name) ? .unsafe : .none
        case .int, .bool: int.contains(name) ? .safe : .none
        case .double: double.contains(name) ? .safe : .none
        case .range: name == "count" || name == "index" ? .safe : .none
        case .view: name == "isdisjoint" || name == "mapping" ? .safe : .none
        case .function(.dict): name == "fromkeys" ? .safe : .none
        default: .none
        }
    }

    private static let internals: Set<String> = [
        "__class__", "__delattr__", "__dir__", "__doc__", "__eq__", "__format__", "__ge__", "__getattribute__",
        "__getstate__", "__gt__", "__hash__", "__init__", "__init_subclass__", "__le__", "__lt__", "__ne__",
        "__new__", "__reduce__", "__reduce_ex__", "__repr__", "__setattr__", "__sizeof__", "__str__",
        "__subclasshook__",
    ]
    private static let containerInternals: Set<String> = ["__contains__", "__getitem__", "__iter__", "__len__"]

    /// Whether Python has an attribute of this underscored name on the value; all such are refused.
    static func hasInternal(_ name: String, _ value: Value) -> Bool {
        if internals.contains(name) { return true }
        switch value {
        case .string, .list, .tuple, .dict, .range, .view, .undefined: return containerInternals.contains(name)
        case .macro, .function, .method: return name == "__call__" || name == "__globals__" || name == "__code__"
        default: return false
        }
    }
}

extension Interpreter {
    /// Calls a method that ``Methods/access(_:on:)`` knows.
    func call(_ name: String, on receiver: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        switch receiver {
        case .string(let text): return try call(name, on: text, arguments)
        case .dict(let mapping): return try call(name, on: mapping, arguments)
        case .list(let elements):
            if name == "copy" {
                _ = try arguments.bind(name, [])
                return .list(Elements(elements.values))
            }
            return try search(name, elements.values, arguments)
        case .tuple(let elements): return try search(name, elements.values, arguments)
        case .range(let range):
            try charge(elements: range.count)
            return try search(name, (0..<range.count).map { .int(range[$0]) }, arguments)
        case .loop(let loop): return try call(name, on: loop, arguments)
        case .cycler(let cycler):
            _ = try arguments.bind(name, [])
            if name == "reset" {
                cycler.position = 0
                return .none
            }
            defer { cycler.position = (cycler.position + 1) % cycler.items.count }
            return cycler.items[cycler.position]
        case .view(let view): return try call(name, on: view, arguments)
        case .function(.dict): return try fromKeys(arguments)
        default: return try callNumber(name, receiver, arguments)
        }
    }

    private func callNumber(_ name: String, _ receiver: Value, _ arguments: CallArguments) throws(TemplateError)
        -> Value
    {
        switch (name, receiver) {
        case ("conjugate", .double), ("is_integer", .double(_)):
            _ = try arguments.bind(name, [])
            guard name == "is_integer", let number = receiver.number else { return receiver }
            return .bool(number.isFinite && number == number.rounded())
        case ("bit_length", _), ("bit_count", _), ("conjugate", _), ("is_integer", _):
            _ = try arguments.bind(name, [])
            let integer = receiver.index ?? 0
            switch name {
            case "bit_length": return .int(Int.bitWidth - integer.magnitude.leadingZeroBitCount)
            case "bit_count": return .int(integer.magnitude.nonzeroBitCount)
            case "is_integer": return .bool(true)
            default: return .int(integer)
            }
        default:
            throw TemplateError(.unsupported, "the method '\(name)' of '\(receiver.typeName)' is not supported")
        }
    }

    private func search(_ name: String, _ values: [Value], _ arguments: CallArguments) throws(TemplateError) -> Value {
        guard arguments.keywords.isEmpty else { throw TemplateError(.runtime, "\(name)() takes no keyword arguments") }
        let bound = try arguments.bind(name, name == "count" ? ["value"] : ["value", "start", "stop"], required: 1)
        let value = bound[0] ?? .none
        if name == "count" {
            var count = 0
            for element in values where try compare(element, .equal, value) {
                try step()
                count += 1
            }
            return .int(count)
        }
        func limit(_ bound: Value?, _ fallback: Int) throws(TemplateError) -> Int {
            guard let bound else { return fallback }
            let index = try bound.integer("index()")
            return Swift.min(Swift.max(index < 0 ? index + values.count : index, 0), values.count)
        }
        let start = try limit(bound[1], 0)
        let stop = Swift.max(start, try limit(bound[2], values.count))
        for position in start..<stop {
            try step()
            if try compare(values[position], .equal, value) { return .int(position) }
        }
        throw TemplateError(.runtime, "\(try repr(of: value).string) is not in list")
    }

    private func call(_ name: String, on mapping: Mapping, _ arguments: CallArguments) throws(TemplateError) -> Value {
        switch name {
        case "get":
            guard arguments.keywords.isEmpty else { throw TemplateError(.runtime, "get() takes no keyword arguments") }
            let bound = try arguments.bind("get", ["key", "default"], required: 1)
            let found = mapping.table.value(for: try MappingKey(checking: bound[0] ?? .none))
            return found ?? bound[1] ?? .none
        case "copy":
            _ = try arguments.bind(name, [])
            return .dict(Mapping(mapping.table))
        case "fromkeys": return try fromKeys(arguments)
        default:
            _ = try arguments.bind(name, [])
            guard let kind = DictionaryView.Kind(rawValue: name) else { return .none }
            return .view(DictionaryView(kind, of: mapping))
        }
    }

    private func fromKeys(_ arguments: CallArguments) throws(TemplateError) -> Value {
        let bound = try arguments.bind("fromkeys", ["iterable", "value"], required: 1)
        var table = MappingTable()
        for key in try elements(of: bound[0] ?? .none) {
            table.set(bound[1] ?? .none, for: try MappingKey(checking: key))
        }
        return try dict(table)
    }

    private func call(_ name: String, on view: DictionaryView, _ arguments: CallArguments) throws(TemplateError)
        -> Value
    {
        guard name == "isdisjoint" else {
            throw TemplateError(
                .unsupported, "the attribute '\(name)' of 'dict_\(view.kind.rawValue)' is not supported")
        }
        let other = try arguments.bind(name, ["other"], required: 1)[0] ?? .none
        for element in try elements(of: other) {
            if try contains(element, in: .view(view)) { return .bool(false) }
        }
        return .bool(true)
    }

    private func call(_ name: String, on loop: LoopContext, _ arguments: CallArguments) throws(TemplateError) -> Value {
        guard arguments.keywords.isEmpty else {
            throw TemplateError(.runtime, "\(name)() takes no keyword arguments")
        }
        let values = arguments.positional
        if name == "changed" {
            for value in values { try step(try weight(of: value)) }
            return .bool(loop.hasChanged(values))
        }
        guard !values.isEmpty else { throw TemplateError(.runtime, "no items for cycling given") }
        return values[loop.index0 % values.count]
    }
}

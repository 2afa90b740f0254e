extension CallArguments {
    /// Assigns the arguments to `parameters` as Python does; the first `required` of them must be given.
    ///
    /// Errors: `runtime`, naming `function`, for missing, unknown, doubled or surplus arguments.
    func bind(_ function: String, _ parameters: [String], required: Int = 0) throws(TemplateError) -> [Value?] {
        guard positional.count <= parameters.count else {
            throw TemplateError(
                .runtime, "\(function)() takes at most \(parameters.count) argument(s) (\(positional.count) given)")
        }
        var values: [Value?] = positional + Array(repeating: nil, count: parameters.count - positional.count)
        for keyword in keywords {
            guard let position = parameters.firstIndex(of: keyword.name) else {
                throw TemplateError(.runtime, "\(function)() got an unexpected keyword argument '\(keyword.name)'")
            }
            guard values[position] == nil else {
                throw TemplateError(.runtime, "\(function)() got multiple values for argument '\(keyword.name)'")
            }
            values[position] = keyword.value
        }
        for position in 0..<required where values[position] == nil {
            throw TemplateError(.runtime, "\(function)() missing required argument: '\(parameters[position])'")
        }
        return values
    }
}

extension Value {
    /// The value as an integer argument. Errors: `runtime` naming `name`.
    func integer(_ name: String) throws(TemplateError) -> Int {
        if case .undefined(let undefined) = self { throw undefined.error }
        guard let index else {
            throw TemplateError(.runtime, "\(name): '\(typeName)' object cannot be interpreted as an integer")
        }
        return index
    }

    /// The value as a string argument. Errors: `runtime` naming `name`.
    func text(_ name: String) throws(TemplateError) -> Text {
        if case .string(let text) = self { return text }
        throw TemplateError(.runtime, "\(name): a string is needed, not '\(typeName)'")
    }
}

extension Optional where Wrapped == Value {
    /// Whether the argument is absent or Python's None.
    var isNone: Bool {
        switch self {
        case nil, .some(Value.none): true
        default: false
        }
    }
}

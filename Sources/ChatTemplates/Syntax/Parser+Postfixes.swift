/// What follows a value: attributes, items, calls, filters and tests.
extension Parser {
    mutating func postfix(_ node: Expression) throws(TemplateError) -> Expression {
        var node = node
        while true {
            if current.isSymbol(".") || current.isSymbol("[") {
                node = try subscripted(node)
            } else if current.isSymbol("(") {
                node = try call(node)
            } else {
                return node
            }
        }
    }

    mutating func filtersAndTests(_ node: Expression) throws(TemplateError) -> Expression {
        var node = node
        while true {
            if current.isSymbol("|") {
                next()
                node = try filter(node)
            } else if current.isName("is") {
                node = try test(node)
            } else if current.isSymbol("(") {
                node = try call(node)
            } else {
                return node
            }
        }
    }

    private mutating func call(_ node: Expression) throws(TemplateError) -> Expression {
        let line = current.line
        let arguments = try self.arguments()
        return try make(.call(node, arguments), line: line, [node], arguments: arguments)
    }

    private mutating func subscripted(_ node: Expression) throws(TemplateError) -> Expression {
        let token = next()
        if token.isSymbol(".") {
            let name = next()
            switch name.kind {
            case .name(let name): return try make(.attribute(node, Text(name)), line: token.line, [node])
            case .integer(let value):
                let index = try make(.literal(.int(value)), line: name.line)
                return try make(.item(node, index), line: token.line, [node])
            default: throw failure("expected name or number", line: name.line)
            }
        }
        var items: [Expression] = []
        while !current.isSymbol("]") {
            if !items.isEmpty { try expect(symbol: ",") }
            items.append(try subscriptItem())
        }
        try expect(symbol: "]")
        let index = items.count == 1 ? items[0] : try make(.tuple(items), line: token.line, items)
        return try make(.item(node, index), line: token.line, [node, index])
    }

    private mutating func subscriptItem() throws(TemplateError) -> Expression {
        let line = current.line
        var start: Expression?
        if !current.isSymbol(":") {
            let item = try expression()
            guard current.isSymbol(":") else { return item }
            start = item
        }
        next()
        var stop: Expression?
        var step: Expression?
        if !isSliceEnd { stop = try expression() }
        if skip(symbol: ":"), !current.isSymbol("]"), !current.isSymbol(",") { step = try expression() }
        return try make(.slice(start, stop, step), line: line, [start, stop, step].compactMap(\.self))
    }

    private var isSliceEnd: Bool { current.isSymbol(":") || current.isSymbol("]") || current.isSymbol(",") }

    private mutating func arguments() throws(TemplateError) -> Arguments {
        let line = current.line
        try expect(symbol: "(")
        var positional: [Expression] = []
        var keywords: [(name: String, value: Expression)] = []
        var unpackedPositional: Expression?
        var unpackedKeywords: Expression?
        var isFirst = true
        while !current.isSymbol(")") {
            if !isFirst {
                try expect(symbol: ",")
                if current.isSymbol(")") { break }
            }
            isFirst = false
            let isValid: Bool
            if skip(symbol: "*") {
                isValid = unpackedPositional == nil && unpackedKeywords == nil
                unpackedPositional = try expression()
            } else if skip(symbol: "**") {
                isValid = unpackedKeywords == nil
                unpackedKeywords = try expression()
            } else if case .name(let name) = current.kind, following.isSymbol("=") {
                isValid = unpackedKeywords == nil
                next()
                next()
                keywords.append((name, try expression()))
            } else {
                isValid = unpackedPositional == nil && unpackedKeywords == nil && keywords.isEmpty
                positional.append(try expression())
            }
            guard isValid else { throw failure("invalid syntax for function call expression", line: line) }
        }
        try expect(symbol: ")")
        for (position, keyword) in keywords.enumerated()
        where keywords[..<position].contains(where: { $0.name == keyword.name }) {
            throw failure("keyword argument repeated: \(keyword.name)", line: line)
        }
        return Arguments(positional, keywords, unpackedPositional, unpackedKeywords)
    }

    private mutating func dottedName() throws(TemplateError) -> String {
        var name = try expectName()
        while skip(symbol: ".") { name += "." + (try expectName()) }
        return name
    }

    /// A filter's name and arguments, after the `|`.
    mutating func filter(_ node: Expression?) throws(TemplateError) -> Expression {
        let line = current.line
        let name = try dottedName()
        let arguments = current.isSymbol("(") ? try self.arguments() : .none
        return try make(.filter(node, name, arguments), line: line, node.map { [$0] } ?? [], arguments: arguments)
    }

    private mutating func test(_ node: Expression) throws(TemplateError) -> Expression {
        let line = next().line
        let isNegated = skip(name: "not")
        let name = try dottedName()
        let arguments = try testArguments()
        let test = try make(.test(node, name, arguments), line: line, [node], arguments: arguments)
        return isNegated ? try make(.not(test), line: line, [test]) : test
    }

    private mutating func testArguments() throws(TemplateError) -> Arguments {
        switch current.kind {
        case .symbol("("): return try arguments()
        case .name("else"), .name("or"), .name("and"): return .none
        case .name("is"): throw failure("You cannot chain multiple tests with is")
        case .name, .string, .integer, .double, .symbol("["), .symbol("{"):
            try enter()
            let argument = try postfix(try primary())
            leave()
            return Arguments([argument], [], nil, nil)
        default: return .none
        }
    }
}

extension Parser {
    mutating func expression(conditional: Bool = true) throws(TemplateError) -> Expression {
        try enter()
        let result = conditional ? try self.conditional() : try or()
        leave()
        return result
    }

    private mutating func conditional() throws(TemplateError) -> Expression {
        var line = current.line
        var result = try or()
        while skip(name: "if") {
            let test = try or()
            var otherwise: Expression?
            if skip(name: "else") {
                try enter()
                otherwise = try conditional()
                leave()
            }
            result = try make(
                .conditional(test: test, then: result, otherwise: otherwise), line: line,
                [test, result] + (otherwise.map { [$0] } ?? []))
            line = current.line
        }
        return result
    }

    private mutating func or() throws(TemplateError) -> Expression {
        var left = try and()
        while current.isName("or") {
            let line = next().line
            let right = try and()
            left = try make(.or(left, right), line: line, [left, right])
        }
        return left
    }

    private mutating func and() throws(TemplateError) -> Expression {
        var left = try not()
        while current.isName("and") {
            let line = next().line
            let right = try not()
            left = try make(.and(left, right), line: line, [left, right])
        }
        return left
    }

    private mutating func not() throws(TemplateError) -> Expression {
        guard current.isName("not") else { return try comparison() }
        let line = next().line
        try enter()
        let operand = try not()
        leave()
        return try make(.not(operand), line: line, [operand])
    }

    private mutating func comparison() throws(TemplateError) -> Expression {
        let line = current.line
        let first = try sum()
        var rest: [(Comparison, Expression)] = []
        while let comparison = nextComparison() { rest.append((comparison, try sum())) }
        if rest.isEmpty { return first }
        return try make(.compare(first, rest), line: line, [first] + rest.map(\.1))
    }

    private mutating func nextComparison() -> Comparison? {
        switch current.kind {
        case .symbol(let symbol):
            guard let comparison = Comparison(rawValue: symbol) else { return nil }
            next()
            return comparison
        case .name("in"):
            next()
            return .contained
        case .name("not"):
            guard following.isName("in") else { return nil }
            next()
            next()
            return .notContained
        default: return nil
        }
    }

    private mutating func binary(_ symbols: [String]) -> BinaryOperator? {
        guard case .symbol(let symbol) = current.kind, symbols.contains(symbol) else { return nil }
        next()
        return BinaryOperator(rawValue: symbol)
    }

    private mutating func sum() throws(TemplateError) -> Expression {
        var line = current.line
        var left = try concatenation()
        while let symbol = binary(["+", "-"]) {
            let right = try concatenation()
            left = try make(.binary(symbol, left, right), line: line, [left, right])
            line = current.line
        }
        return left
    }

    private mutating func concatenation() throws(TemplateError) -> Expression {
        let line = current.line
        var parts = [try product()]
        while skip(symbol: "~") { parts.append(try product()) }
        return parts.count == 1 ? parts[0] : try make(.concat(parts), line: line, parts)
    }

    private mutating func product() throws(TemplateError) -> Expression {
        var line = current.line
        var left = try power()
        while let symbol = binary(["*", "/", "//", "%"]) {
            let right = try power()
            left = try make(.binary(symbol, left, right), line: line, [left, right])
            line = current.line
        }
        return left
    }

    private mutating func power() throws(TemplateError) -> Expression {
        var line = current.line
        var left = try unary()
        while let symbol = binary(["**"]) {
            let right = try unary()
            left = try make(.binary(symbol, left, right), line: line, [left, right])
            line = current.line
        }
        return left
    }

    private mutating func unary(filters: Bool = true) throws(TemplateError) -> Expression {
        let line = current.line
        var node: Expression
        if current.isSymbol("-") || current.isSymbol("+") {
            let isNegative = next().isSymbol("-")
            try enter()
            let operand = try unary(filters: false)
            leave()
            node = try make(isNegative ? .negate(operand) : .positive(operand), line: line, [operand])
        } else {
            node = try primary()
        }
        node = try postfix(node)
        return filters ? try filtersAndTests(node) : node
    }

    // MARK: Primaries

    mutating func primary(allowsNamespace: Bool = false) throws(TemplateError) -> Expression {
        let token = current
        switch token.kind {
        case .name(let name):
            next()
            switch name {
            case "true", "True": return try make(.literal(.bool(true)), line: token.line)
            case "false", "False": return try make(.literal(.bool(false)), line: token.line)
            case "none", "None": return try make(.literal(.none), line: token.line)
            default: break
            }
            if allowsNamespace, skip(symbol: ".") {
                let attribute = Text(try expectName())
                return try make(.namespaceAttribute(name, attribute: attribute, id: newName()), line: token.line)
            }
            return try make(.name(name, id: newName()), line: token.line)
        case .string(var text):
            next()
            while case .string(let more) = current.kind {
                text = text + more
                next()
            }
            return try make(.literal(.string(text)), line: token.line)
        case .integer(let value):
            next()
            return try make(.literal(.int(value)), line: token.line)
        case .double(let value):
            next()
            return try make(.literal(.double(value)), line: token.line)
        case .symbol("("):
            next()
            let result = try tuple(inParentheses: true)
            try expect(symbol: ")")
            return result
        case .symbol("["): return try list()
        case .symbol("{"): return try dictionary()
        default: throw failure("unexpected '\(token.description)'")
        }
    }

    /// One expression, or several separated by commas: a tuple. A comma may end it.
    mutating func tuple(
        conditional: Bool = true, inParentheses: Bool = false, end: String? = nil, targets: Bool = false,
        allowsNamespace: Bool = false
    ) throws(TemplateError) -> Expression {
        try enter()
        var line = current.line
        var items: [Expression] = []
        var isTuple = false
        while true {
            if !items.isEmpty { try expect(symbol: ",") }
            if isTupleEnd(end) { break }
            items.append(
                targets ? try primary(allowsNamespace: allowsNamespace) : try expression(conditional: conditional))
            guard current.isSymbol(",") else { break }
            isTuple = true
            line = current.line
        }
        leave()
        if !isTuple {
            if let only = items.first { return only }
            guard inParentheses else { throw failure("Expected an expression, got '\(current.description)'") }
        }
        return try make(.tuple(items), line: line, items)
    }

    private func isTupleEnd(_ end: String?) -> Bool {
        switch current.kind {
        case .variableEnd, .blockEnd, .symbol(")"): true
        case .name(let name): name == end
        default: false
        }
    }

    private mutating func list() throws(TemplateError) -> Expression {
        let line = next().line
        var items: [Expression] = []
        while !current.isSymbol("]") {
            if !items.isEmpty { try expect(symbol: ",") }
            if current.isSymbol("]") { break }
            items.append(try expression())
        }
        try expect(symbol: "]")
        return try make(.list(items), line: line, items)
    }

    private mutating func dictionary() throws(TemplateError) -> Expression {
        let line = next().line
        var items: [(key: Expression, value: Expression)] = []
        while !current.isSymbol("}") {
            if !items.isEmpty { try expect(symbol: ",") }
            if current.isSymbol("}") { break }
            let key = try expression()
            try expect(symbol: ":")
            items.append((key, try expression()))
        }
        try expect(symbol: "}")
        return try make(.dict(items), line: line, items.map(\.key) + items.map(\.value))
    }
}

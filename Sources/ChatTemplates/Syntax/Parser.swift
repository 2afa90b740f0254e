/// Builds a template's tree from its tokens, by Jinja's grammar with the loop controls and `{% generation %}`.
struct Parser {
    private let tokens: [Token]
    private var position = 0
    let limits: TemplateLimits
    private var depth = 0
    /// Names and scopes are numbered as they are met.
    private(set) var nameCount = 0
    private(set) var scopeCount = 0
    /// How many loops are around, within the present macro.
    var loopDepth = 0
    /// The tags that are open, for messages.
    var openTags: [String] = []

    init(_ tokens: [Token], limits: TemplateLimits) {
        self.tokens = tokens
        self.limits = limits
    }

    mutating func template() throws(TemplateError) -> [Statement] {
        let body = try statements(until: [])
        return body
    }

    // MARK: Tokens

    var current: Token { tokens[position] }
    var following: Token { tokens[min(position + 1, tokens.count - 1)] }

    @discardableResult
    mutating func next() -> Token {
        let token = tokens[position]
        if position + 1 < tokens.count { position += 1 }
        return token
    }

    mutating func skip(name: String) -> Bool {
        guard current.isName(name) else { return false }
        next()
        return true
    }

    mutating func skip(symbol: String) -> Bool {
        guard current.isSymbol(symbol) else { return false }
        next()
        return true
    }

    mutating func expect(symbol: String) throws(TemplateError) {
        guard skip(symbol: symbol) else { throw unexpected(symbol) }
    }

    mutating func expect(name: String) throws(TemplateError) {
        guard skip(name: name) else { throw unexpected(name) }
    }

    mutating func expect(_ kind: Token.Kind) throws(TemplateError) {
        guard current.kind == kind else { throw unexpected(Token(kind: kind, line: 0).description) }
        next()
    }

    mutating func expectName() throws(TemplateError) -> String {
        guard case .name(let name) = current.kind else { throw unexpected("name") }
        next()
        return name
    }

    func unexpected(_ expected: String) -> TemplateError {
        if current.kind == .end { return failure("unexpected end of template, expected '\(expected)'.") }
        return failure("expected token '\(expected)', got '\(current.description)'")
    }

    func failure(_ message: String, line: Int? = nil, kind: TemplateError.Kind = .syntax) -> TemplateError {
        TemplateError(kind, message, line: line ?? current.line)
    }

    // MARK: Numbers and limits

    mutating func newName() -> Int {
        nameCount += 1
        return nameCount - 1
    }

    mutating func newScope() -> Int {
        scopeCount += 1
        return scopeCount - 1
    }

    mutating func enter() throws(TemplateError) {
        depth += 1
        guard depth <= limits.sourceDepth else { throw tooDeep() }
    }

    mutating func leave() { depth -= 1 }

    func tooDeep() -> TemplateError {
        failure(
            "blocks or expressions nest more than \(limits.sourceDepth) levels deep (limit sourceDepth)", kind: .limit)
    }

    /// Makes an expression whose children are `children`.
    func make(_ kind: Expression.Kind, line: Int, _ children: [Expression] = [], arguments: Arguments = .none)
        throws(TemplateError) -> Expression
    {
        let depth = children.reduce(arguments.depth) { max($0, $1.depth) } + 1
        // Chains such as `a + b + c` nest without recursion here; evaluating them does recurse.
        guard depth <= limits.sourceDepth * 2 else { throw tooDeep() }
        return Expression(kind, line: line, depth: depth)
    }
}

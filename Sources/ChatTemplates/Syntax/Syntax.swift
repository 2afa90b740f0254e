/// An expression of a template. Immutable; names are numbered so that the resolver's findings can lie beside the tree.
final class Expression: Sendable {
    indirect enum Kind: Sendable {
        case literal(Literal)
        case name(String, id: Int)
        /// `a.b` as the target of an assignment.
        case namespaceAttribute(String, attribute: Text, id: Int)
        case tuple([Expression])
        case list([Expression])
        case dict([(key: Expression, value: Expression)])
        case conditional(test: Expression, then: Expression, otherwise: Expression?)
        case or(Expression, Expression)
        case and(Expression, Expression)
        case not(Expression)
        case binary(BinaryOperator, Expression, Expression)
        case negate(Expression)
        case positive(Expression)
        case concat([Expression])
        case compare(Expression, [(Comparison, Expression)])
        case attribute(Expression, Text)
        case item(Expression, Expression)
        case slice(Expression?, Expression?, Expression?)
        case call(Expression, Arguments)
        /// A nil operand stands for the text of the filter block around.
        case filter(Expression?, String, Arguments)
        case test(Expression, String, Arguments)
    }

    let kind: Kind
    let line: Int
    /// How deeply expressions nest in this one.
    let depth: Int

    init(_ kind: Kind, line: Int, depth: Int) {
        self.kind = kind
        self.line = line
        self.depth = depth
    }
}

enum Literal: Sendable {
    case none
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(Text)

    var value: Value {
        switch self {
        case .none: .none
        case .bool(let value): .bool(value)
        case .int(let value): .int(value)
        case .double(let value): .double(value)
        case .string(let text): .string(text)
        }
    }
}

enum BinaryOperator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case modulo = "%"
    case power = "**"
}

enum Comparison: String, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case contained = "in"
    case notContained = "not in"
}

/// The arguments of a call, filter or test.
final class Arguments: Sendable {
    let positional: [Expression]
    let keywords: [(name: String, value: Expression)]
    let unpackedPositional: Expression?
    let unpackedKeywords: Expression?
    let depth: Int

    static let none = Arguments([], [], nil, nil)

    init(
        _ positional: [Expression], _ keywords: [(name: String, value: Expression)], _ unpackedPositional: Expression?,
        _ unpackedKeywords: Expression?
    ) {
        self.positional = positional
        self.keywords = keywords
        self.unpackedPositional = unpackedPositional
        self.unpackedKeywords = unpackedKeywords
        depth = max(
            expressionsDepth(positional), expressionsDepth(keywords.map(\.value)), unpackedPositional?.depth ?? 0,
            unpackedKeywords?.depth ?? 0)
    }

    /// All argument expressions, in the order in which they are evaluated.
    var expressions: [Expression] {
        positional + keywords.map(\.value) + [unpackedPositional, unpackedKeywords].compactMap(\.self)
    }
}

private func expressionsDepth(_ expressions: [Expression]) -> Int { expressions.reduce(0) { max($0, $1.depth) } }

/// A statement of a template. Scopes are numbered: ``Program/scopes`` says what happens when one is entered.
indirect enum Statement: Sendable {
    case text(Text)
    case output(Expression)
    case conditional([(test: Expression, body: [Statement])], otherwise: [Statement])
    case loop(LoopNode)
    case assign(target: Expression, value: Expression)
    case assignBlock(target: Expression, filter: Expression?, body: [Statement], scope: Int)
    case macro(MacroNode, target: Int)
    case call(MacroNode, Expression)
    case generation(MacroNode)
    case filterBlock(Expression, body: [Statement], scope: Int)
    case with([(target: Expression, value: Expression)], body: [Statement], scope: Int)
    case scope([Statement], scope: Int)
    case breakLoop
    case continueLoop
}

/// `{% for %}`.
final class LoopNode: Sendable {
    let line: Int
    let target: Expression
    let iterable: Expression
    /// The filter condition, with a target of its own: it is evaluated in a scope apart from the body's.
    let test: (target: Expression, condition: Expression)?
    let body: [Statement]
    let otherwise: [Statement]
    let isRecursive: Bool
    /// Whether the body mentions `loop`.
    let usesLoop: Bool
    let scope: Int
    let elseScope: Int
    let testScope: Int
    /// Number of the name `loop`.
    let loopID: Int

    init(
        line: Int, target: Expression, iterable: Expression, test: (target: Expression, condition: Expression)?,
        body: [Statement], otherwise: [Statement], isRecursive: Bool, usesLoop: Bool, scopes: (Int, Int, Int),
        loopID: Int
    ) {
        self.line = line
        self.target = target
        self.iterable = iterable
        self.test = test
        self.body = body
        self.otherwise = otherwise
        self.isRecursive = isRecursive
        self.usesLoop = usesLoop
        (scope, elseScope, testScope) = scopes
        self.loopID = loopID
    }
}

/// `{% macro %}`, the body of `{% call %}`, or that of `{% generation %}`.
final class MacroNode: Sendable {
    let line: Int
    /// nil for call blocks.
    let name: String?
    let parameters: [(name: String, id: Int, fallback: Expression?)]
    let body: [Statement]
    let scope: Int
    let usesCaller: Bool
    let usesKeywords: Bool
    let usesPositional: Bool
    /// Numbers of the names `caller`, `kwargs` and `varargs`.
    let callerID: Int
    let keywordsID: Int
    let positionalID: Int

    init(
        line: Int, name: String?, parameters: [(name: String, id: Int, fallback: Expression?)], body: [Statement],
        scope: Int, uses: (caller: Bool, keywords: Bool, positional: Bool),
        ids: (caller: Int, keywords: Int, positional: Int)
    ) {
        self.line = line
        self.name = name
        self.parameters = parameters
        self.body = body
        self.scope = scope
        (usesCaller, usesKeywords, usesPositional) = uses
        (callerID, keywordsID, positionalID) = ids
    }
}

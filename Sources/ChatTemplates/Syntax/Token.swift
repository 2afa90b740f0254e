/// A token of a template's source.
struct Token: Sendable {
    enum Kind: Sendable, Equatable {
        case text(Text)
        case variableBegin
        case variableEnd
        case blockBegin
        case blockEnd
        case name(String)
        case string(Text)
        case integer(Int)
        case double(Double)
        case symbol(String)
        case end
    }

    let kind: Kind
    let line: Int

    /// The token as messages name it.
    var description: String {
        switch kind {
        case .text: "template data / text"
        case .variableBegin: "begin of print statement"
        case .variableEnd: "end of print statement"
        case .blockBegin: "begin of statement block"
        case .blockEnd: "end of statement block"
        case .name(let name): name
        case .string: "string"
        case .integer: "integer"
        case .double: "float"
        case .symbol(let symbol): symbol
        case .end: "end of template"
        }
    }

    func isName(_ name: String) -> Bool { kind == .name(name) }
    func isSymbol(_ symbol: String) -> Bool { kind == .symbol(symbol) }
}

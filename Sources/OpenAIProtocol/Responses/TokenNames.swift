import Sampling

/// How tokens are written in logprobs.
package struct TokenNames: Sendable {
    private let text: any TextService
    private let asIDs: Bool
    private let skipsSpecial: Bool

    package init(_ text: any TextService, asIDs: Bool, skipsSpecial: Bool = true) {
        self.text = text
        self.asIDs = asIDs
        self.skipsSpecial = skipsSpecial
    }

    /// The token's text, with U+FFFD for bytes that are no character by themselves; or `token_id:N`.
    func name(_ token: Int32) -> String {
        asIDs ? Self.idName(token) : plainName(token)
    }

    func plainName(_ token: Int32) -> String { String(decoding: bytes(token), as: UTF8.self) }

    static func idName(_ token: Int32) -> String { "token_id:\(token)" }

    func bytes(_ token: Int32) -> [UInt8] {
        text.bytes(of: token) ?? text.piece(token).map { Array($0.utf8) } ?? []
    }

    /// Characters (Unicode scalars) that begin in this token's part of the text; special tokens may have none.
    func width(_ token: Int32) -> Int {
        if skipsSpecial, text.isSpecial(token) { return 0 }
        return bytes(token).count { $0 & 0xC0 != 0x80 }
    }
}

extension PositionLogprobs {
    /// The most probable tokens, and the chosen one behind them when it is not among them.
    var topWithChosen: [TokenLogprob] {
        top.contains { $0.token == chosen.token } ? top : top + [chosen]
    }
}

import Adapters
import Tokenizers

extension AdapterRegistry {
    /// Refuses a prompt in which an adapter would stay switched off, naming the adapter and its invocation.
    func checkInvocations(of versions: [AdapterVersion], in prompt: [Int32]) throws(EngineError) {
        for version in versions where version.start(in: prompt) == nil {
            throw .invalidRequest(
                parameter: "prompt",
                message: """
                    The prompt does not invoke the adapter '\(version.information.name)': its invocation, \
                    \(invocation(version.activation)), does not occur in it. Put the invocation where the adapter is to \
                    begin, or allow the base model to answer instead (adapter_strict false).
                    """)
        }
    }

    /// An invocation as people read it: the text, and the tokens where they are what counts.
    private func invocation(_ activation: AdapterActivation) -> String {
        switch activation {
        case .always: "nothing"
        case .afterText(let text, _): "'\(Self.shortened(text))'"
        case .afterTokens(let tokens, _):
            "'\(Self.shortened(text.tokenizer.decode(tokens, skipSpecialTokens: false)))' "
                + "(tokens \(tokens.prefix(32).map(String.init).joined(separator: " "))\(tokens.count > 32 ? " …" : ""))"
        }
    }

    private static func shortened(_ text: String) -> String {
        let limit = 128
        return text.unicodeScalars.count <= limit
            ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit))) + "…"
    }
}

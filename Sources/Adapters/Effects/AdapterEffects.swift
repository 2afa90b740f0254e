import Checkpoints

/// Factors on the input or the output of a linear module: `y = factors * (W x + bias)` or `y = W (factors * x) + bias`.
package struct ModuleScale: Sendable {
    package enum Side: String, Sendable {
        case input
        case output
    }

    package let module: String
    package let side: Side
    /// One for each input or output.
    package let factors: TensorView
}

/// A parameter of a module that takes the place of the model's own.
package struct Replacement: Sendable {
    package enum Parameter: String, Sendable {
        case weight
        case bias
    }

    package let module: String
    package let parameter: Parameter
    /// In the shape that checkpoints have; embedding and head may have more rows than the model's vocabulary.
    package let values: TensorView
    /// Whether PEFT stored it as the base of a low-rank change: most often a copy of the model's own weight, which the
    /// executor may then leave out.
    package let isBaseCopy: Bool
}

/// Rows of the embedding that take the place of the model's own.
package struct TokenRows: Sendable {
    package let module: String
    package let tokens: [Int32]
    /// `[tokens, hidden]`.
    package let rows: TensorView
    /// Whether the rows change the output head too, because it shares the embedding's weight.
    package let changesHead: Bool
}

/// Input embeddings that come before the prompt's own, its first token included; they take the first positions.
package struct PromptEmbeddings: Sendable {
    /// `[virtual tokens, hidden]` for each task; the request names the task, and most adapters have just one.
    package let tasks: [TensorView]

    package var tokenCount: Int { tasks[0].shape[0] }
}

/// K and V of positions before the prompt, used as they are: not rotated, not normalized, with no hidden states.
///
/// They take absolute positions from 0 on, and leave a sliding window like any other.
package struct KeyValuePrefix: Sendable {
    /// `[positions, layers * 2 * heads * dimension]`: in a row K, then V of layer 0, then of layer 1, and so on, each
    /// head by head.
    package let values: TensorView
    package let layers: [ModelCatalog.KeyValueShape]

    package var tokenCount: Int { values.shape[0] }

    /// Where K of `layer` begins in a row, in elements; V follows it.
    package func offset(layer: Int) -> Int { layers[..<layer].reduce(0) { $0 + 2 * $1.heads * $1.dimension } }
}

/// All that an adapter does to a model, in the order of the model's modules; each part may be absent.
package struct AdapterEffects: Sendable {
    package internal(set) var deltas: [LowRankDelta] = []
    package internal(set) var scales: [ModuleScale] = []
    package internal(set) var replacements: [Replacement] = []
    package internal(set) var tokenRows: [TokenRows] = []
    package internal(set) var promptEmbeddings: PromptEmbeddings?
    package internal(set) var prefix: KeyValuePrefix?

    /// Names of the modules that are changed, without repetition, sorted.
    package var modules: [String] {
        Set(
            deltas.map(\.module) + scales.map(\.module) + replacements.map(\.module) + tokenRows.map(\.module)
        ).sorted()
    }

    /// The ranks of the deltas, without repetition, ascending.
    package var ranks: [Int] { Set(deltas.map(\.rank)).sorted() }

    /// Bytes of all tensors.
    package var byteCount: Int { tensors.reduce(0) { $0 + $1.bytes.count } }

    /// Positions that the adapter takes before the prompt.
    package var virtualTokenCount: Int { promptEmbeddings?.tokenCount ?? prefix?.tokenCount ?? 0 }

    private var tensors: [TensorView] {
        deltas.flatMap { [$0.down, $0.up] + [$0.bias, $0.magnitude].compactMap(\.self) } + scales.map(\.factors)
            + replacements.map(\.values) + tokenRows.map(\.rows) + (promptEmbeddings?.tasks ?? [])
            + [prefix?.values].compactMap(\.self)
    }

    mutating func sort(by catalog: ModelCatalog) {
        deltas.sort { catalog.position(of: $0.module) < catalog.position(of: $1.module) }
        scales.sort { catalog.position(of: $0.module) < catalog.position(of: $1.module) }
        replacements.sort {
            (catalog.position(of: $0.module), $1.parameter.rawValue)
                < (catalog.position(of: $1.module), $0.parameter.rawValue)
        }
        tokenRows.sort { catalog.position(of: $0.module) < catalog.position(of: $1.module) }
    }
}

/// What an adapter must know of a model: every module that it may change, by the name that transformers gives it.
///
/// `Models` makes one for each architecture; adapters are checked against it when they are loaded.
package struct ModelCatalog: Sendable {
    package enum Kind: Sendable {
        case linear
        case embedding
        case norm
    }

    package struct Module: Sendable, Equatable {
        /// Dotted path in transformers' model (`model.layers.0.self_attn.q_proj`).
        package let name: String
        package let kind: Kind
        /// Input features; of an embedding the number of its rows, of a norm its size.
        package let inputs: Int
        package let outputs: Int
        /// Nil outside the layers.
        package let layer: Int?
        package let hasBias: Bool

        package init(name: String, kind: Kind, inputs: Int, outputs: Int, layer: Int? = nil, hasBias: Bool = false) {
            self.name = name
            self.kind = kind
            self.inputs = inputs
            self.outputs = outputs
            self.layer = layer
            self.hasBias = hasBias
        }

        /// Shape of the weight as checkpoints hold it.
        package var weightShape: [Int] {
            switch kind {
            case .linear: [outputs, inputs]
            case .embedding: [inputs, outputs]
            case .norm: [outputs]
            }
        }
    }

    /// K and V of one position of a layer: `heads` rows of `dimension` values each.
    package struct KeyValueShape: Sendable, Equatable {
        package let heads: Int
        package let dimension: Int

        package init(heads: Int, dimension: Int) {
            self.heads = heads
            self.dimension = dimension
        }
    }

    /// In the order of the model.
    package let modules: [Module]
    /// Name of the input embedding; its rows are the vocabulary.
    package let embedding: String
    /// Name of the output head; it is a module of its own also where it shares the embedding's weight.
    package let head: String
    package let tiesHead: Bool
    package let vocabularySize: Int
    package let hiddenSize: Int
    /// One for each layer.
    package let keyValueShapes: [KeyValueShape]
    private let index: [String: Int]

    package init(
        modules: [Module], embedding: String, head: String, tiesHead: Bool, vocabularySize: Int, hiddenSize: Int,
        keyValueShapes: [KeyValueShape]
    ) {
        self.modules = modules
        self.embedding = embedding
        self.head = head
        self.tiesHead = tiesHead
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
        self.keyValueShapes = keyValueShapes
        index = Dictionary(modules.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The module `name`, or nil if the model has none. O(1).
    package subscript(name: String) -> Module? { index[name].map { modules[$0] } }

    /// Place of a module in the model's order; unknown ones come last.
    package func position(of name: String) -> Int { index[name] ?? modules.count }
}

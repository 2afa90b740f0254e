/// What holds for a type of model where its configuration is silent, as the classes of transformers 5 have it.
struct ConfigDefaults {
    var positions = 2048
    var normEpsilon = 1e-6
    var tiesWordEmbeddings = false
    var slidingWindow: Int?
    /// Whether positions are told by rotary embeddings.
    var isRotary = true
    /// Size of the feed-forward network over the hidden size, where no field tells it.
    var expansion: Int?

    init(_ modelType: String) {
        switch modelType {
        case "bloom":
            normEpsilon = 1e-5
            tiesWordEmbeddings = true
            expansion = 4
            isRotary = false
        case "mistral":
            positions = 131_072
            slidingWindow = 4096
        case "qwen2":
            positions = 32_768
            slidingWindow = 4096
        default: break
        }
    }
}

/// The components of one tokenizer, in the order in which text passes through them.
struct TokenizerParts: Sendable {
    let addedTokens: AddedTokens
    let normalizer: Normalizer
    let preTokenizer: PreTokenizer
    let model: TokenModel
    let postProcessor: PostProcessor
    let decoder: DecoderPlan

    init(_ json: UnsafeBufferPointer<UInt8>) throws(TokenizerError) {
        let file = try TokenizerFile(json)
        let normalizer = try Normalizer(file["normalizer"])
        self.normalizer = normalizer
        preTokenizer = try PreTokenizer(file["pre_tokenizer"], form: normalizer.outputForm)
        model = try ModelReader.read(json, at: file.modelOffset, form: preTokenizer.outputForm)
        addedTokens = try AddedTokens(
            file["added_tokens"], model: model.vocabulary, normalizedForm: normalizer.outputForm
        ) { normalizer.normalize($0) }
        postProcessor = try PostProcessor(file["post_processor"])
        decoder = try DecoderPlan(file["decoder"])
    }
}

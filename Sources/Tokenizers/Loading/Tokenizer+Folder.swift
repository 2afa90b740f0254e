import Checkpoints

extension Tokenizer {
    /// Reads `tokenizer.json`, and `tokenizer_config.json` with its neighbours if they are there, from a model's folder.
    ///
    /// Throws a `TokenizerError` for what a tokenizer file says, a `CheckpointError` for files that cannot be read.
    public convenience init(folder: String) throws {
        let file = try MappedFile(path: folder + "/" + TokenizerFile.name)
        let config = try TokenizerConfig(folder: folder)
        try self.init(tokenizerJSON: file.bytes.bindMemory(to: UInt8.self), config: config)
    }
}

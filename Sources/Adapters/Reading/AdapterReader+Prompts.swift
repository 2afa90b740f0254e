import Checkpoints

/// Kinds that put something before the prompt. Their tensors have no prefix.
extension AdapterReader {
    private static let name = "prompt_embeddings"

    private mutating func takePrompt(columns: Int, _ meaning: String) throws(CheckpointError) -> TensorView {
        let count = try fields.requiredInt("num_virtual_tokens", in: 1...1 << 24)
        if let modules = try fields.int("num_transformer_submodules", in: 1...16), modules != 1 {
            throw fields.mismatch("num_transformer_submodules", "is \(modules), expected 1", kind: .unsupported)
        }
        guard let prompt = try tensors.take(Self.name) else {
            throw CheckpointError(.missing, file: tensors.file, subject: "tensor '\(Self.name)'", "is not there")
        }
        try tensors.check(
            prompt, shape: [count, columns],
            advice: "num_virtual_tokens rows of \(meaning): is it another model's adapter?")
        return prompt
    }

    /// Prompt tuning and P-tuning (whose encoder is saved as its result), with a factor for each task in the
    /// multitask kind: `P * (columns[t] rows[t])`, element by element.
    mutating func readPromptEmbeddings() throws(CheckpointError) {
        let prompt = try takePrompt(columns: catalog.hiddenSize, "the model's hidden size")
        guard config.kind == .multitaskPromptTuning else {
            effects.promptEmbeddings = PromptEmbeddings(tasks: [prompt])
            return
        }
        let tasks = try fields.int("num_tasks", in: 1...4096) ?? 1
        let rank = try fields.int("num_ranks", in: 1...4096) ?? 1
        guard let columns = try tensors.take("prefix_task_cols"), let rows = try tensors.take("prefix_task_rows") else {
            throw CheckpointError(
                .missing, file: tensors.file, subject: "tensor 'prefix_task_cols' or 'prefix_task_rows'", "is not there"
            )
        }
        try tensors.check(columns, shape: [tasks, prompt.shape[0], rank], advice: "from num_tasks and num_ranks")
        try tensors.check(rows, shape: [tasks, rank, catalog.hiddenSize], advice: "from num_tasks and num_ranks")
        guard prompt.count <= (1 << 28) / tasks else {
            throw tensors.problem(prompt, .unsupported, "\(tasks) tasks make more than 1 GiB of embeddings")
        }
        var embeddings: [TensorView] = []
        for task in 0..<tasks {
            let factors = try compute.product(columns.part(task), rows.part(task))
            embeddings.append(try compute.multiplied(prompt, factors))
        }
        effects.promptEmbeddings = PromptEmbeddings(tasks: embeddings)
    }

    /// Prefix tuning and cartridges.
    mutating func readPrefix() throws(CheckpointError) {
        let shapes = catalog.keyValueShapes
        let columns = shapes.reduce(0) { $0 + 2 * $1.heads * $1.dimension }
        let prefix = try takePrompt(
            columns: columns,
            "K and V of every layer (\(shapes.count) layers, \(shapes.first?.heads ?? 0) key-value heads)")
        effects.prefix = KeyValuePrefix(values: prefix, layers: shapes)
    }
}

extension TensorView {
    /// The matrix at `index` of a stack of matrices.
    fileprivate func part(_ index: Int) -> TensorView {
        let length = bytes.count / shape[0]
        let range = UnsafeRawBufferPointer(rebasing: bytes[index * length..<(index + 1) * length])
        return TensorView(name: name, dtype: dtype, shape: Array(shape.dropFirst()), bytes: range, owner: owner)
    }
}

import Checkpoints

/// The two random matrices that all modules of a VeRA adapter share.
extension AdapterReader {
    /// A `[rank, inputs]` and B `[outputs, rank]` of the file, or, where it was saved without them, drawn again from its key.
    mutating func projections(rank: Int) throws(CheckpointError) -> (a: TensorView, b: TensorView) {
        let a = try tensors.take("base_model.vera_A")
        let b = try tensors.take("base_model.vera_B")
        if let a, let b { return (a, b) }
        guard a == nil, b == nil, try fields.bool("save_projection") == false else {
            throw CheckpointError(
                .mismatch, file: tensors.file, subject: "tensor 'base_model.vera_A' or 'base_model.vera_B'",
                "is not there, though save_projection says that it is saved",
                advice: "the file is incomplete: get it again, or save the adapter again with PEFT")
        }
        return try drawnProjections(rank: rank)
    }

    /// PEFT draws A, then B, for the largest inputs and the largest outputs of the modules that its configuration selects
    /// (`VeraModel._init_vera_A_vera_B`).
    private func drawnProjections(rank: Int) throws(CheckpointError) -> (a: TensorView, b: TensorView) {
        let key = try fields.int("projection_prng_key", in: 0...Int.max) ?? 0
        let present = Set(tensors.modules(with: ".vera_lambda_d"))
        let changed = catalog.modules.filter { present.contains($0.name) }
        let inputs = changed.map(\.inputs).max() ?? 1
        let outputs = changed.map(\.outputs).max() ?? 1
        // Another width would deal the numbers out differently, so there must be no doubt about it.
        for module in catalog.modules where mayBeSelected(module) && !present.contains(module.name) {
            guard module.inputs <= inputs, module.outputs <= outputs else {
                throw fields.mismatch(
                    "projection_prng_key",
                    "cannot be used: adapter_config.json seems to select '\(module.name)', which the file has nothing for, "
                        + "and the size of the projections depends on it", kind: .unsupported,
                    advice: "load the adapter with PEFT, set save_projection to true and save it again")
            }
        }
        let (size, overflow) = rank.multipliedReportingOverflow(by: inputs + outputs)
        guard !overflow, size <= Self.maximumSize else {
            throw fields.mismatch("r", "makes projections of more than 8 GiB", kind: .unsupported)
        }
        let a = try compute.kaimingUniform(
            "base_model.vera_A", rows: rank, columns: inputs, seed: key, skip: 0)
        let b = try compute.kaimingUniform(
            "base_model.vera_B", rows: outputs, columns: rank, seed: key, skip: rank * inputs)
        return (a, b)
    }
}

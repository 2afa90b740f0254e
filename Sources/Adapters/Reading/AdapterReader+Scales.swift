import Checkpoints

extension AdapterReader {
    /// IA3: factors on the input of feed-forward modules and on the output, bias included, of all others.
    mutating func readScales() throws(CheckpointError) {
        for name in tensors.modules(with: ".ia3_l") {
            let module = try module(name, ".ia3_l", [.linear])
            guard let factors = try tensors.take(name, ".ia3_l") else { continue }
            let side = try scaledSide(name)
            let count = side == .input ? module.inputs : outputs(module)
            try tensors.check(
                factors, shape: side == .input ? [1, count] : [count, 1],
                advice: "feedforward_modules in adapter_config.json says which side of a module is scaled")
            let vector = TensorView(
                name: factors.name, dtype: factors.dtype, shape: [count], bytes: factors.bytes, owner: factors.owner)
            effects.scales.append(ModuleScale(module: name, side: side, factors: vector))
        }
    }

    /// PEFT's rule: a text is a pattern, a list has endings of paths (not of whole names).
    private mutating func scaledSide(_ module: String) throws(CheckpointError) -> ModuleScale.Side {
        guard let value = fields.value("feedforward_modules") else {
            throw fields.mismatch("feedforward_modules", "is missing", kind: .missing)
        }
        guard let text = value.string else {
            let names = try fields.strings("feedforward_modules") ?? []
            return names.contains { module.hasSuffix($0) } ? .input : .output
        }
        do {
            return try ModulePattern(fullMatch: text).matches(module, &budget) ? .input : .output
        } catch let error as ModulePattern.Failure {
            throw fields.mismatch("feedforward_modules", error.problem, kind: .unsupported)
        } catch let error as CheckpointError {
            throw error
        } catch {
            throw fields.mismatch("feedforward_modules", "\(error)")
        }
    }
}

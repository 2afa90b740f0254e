import Checkpoints

/// Kinds that become low-rank deltas when they are loaded.
extension AdapterReader {
    /// AdaLoRA: `y += alpha / (r + 1e-5) * B (E * A x)`, where r is what pruning left of a module's rank.
    mutating func readAdaLoRA() throws(CheckpointError) {
        try refuse(["use_dora", "use_rslora", "lora_bias", "alora_invocation_tokens", "invocation_string"])
        let alpha = try fields.double("lora_alpha", in: -1e9...1e9) ?? 8
        for name in tensors.modules(with: ".lora_A") {
            let module = try module(name, ".lora_A", [.linear])
            let down = try tensors.require(name, ".lora_A", beside: ".lora_A")
            let up = try tensors.require(name, ".lora_B", beside: ".lora_A")
            let values = try tensors.require(name, ".lora_E", beside: ".lora_A")
            let rank = down.shape.first ?? 0
            try tensors.check(down, shape: [rank, module.inputs])
            try tensors.check(up, shape: [outputs(module), rank])
            try tensors.check(values, shape: [rank, 1])
            // A module whose rank was pruned away altogether.
            guard rank > 0 else { continue }
            let scaled = try compute.scaled(down, rows: rank, columns: module.inputs, rowFactors: values)
            let scale = (alpha > 0 ? alpha : Double(rank)) / (Double(rank) + 1e-5)
            effects.deltas.append(
                LowRankDelta(module: name, down: scaled, up: up, scale: scale, bias: nil, magnitude: nil))
        }
    }

    /// Most numbers that a file's shared matrices are made to.
    static let maximumSize = 1 << 31

    /// VeRA: `y += b * (B (d * (A x)))` with one A and B for all modules, cut to each module's size.
    mutating func readVeRA() throws(CheckpointError) {
        let rank = try fields.int("r", in: 1...1 << 20) ?? 256
        let (a, b) = try projections(rank: rank)
        for (matrix, side) in [(a, 0), (b, 1)] {
            guard matrix.shape.count == 2, matrix.shape[side] == rank else {
                throw tensors.problem(
                    matrix, .mismatch,
                    "expected a matrix with \(rank) \(side == 0 ? "rows" : "columns"), as r says, found \(matrix.shape)"
                )
            }
        }
        var size = 0
        for name in tensors.modules(with: ".vera_lambda_d") {
            let module = try module(name, ".vera_lambda_d", [.linear])
            let inner = try tensors.require(name, ".vera_lambda_d", beside: ".vera_lambda_d")
            let outer = try tensors.require(name, ".vera_lambda_b", beside: ".vera_lambda_d")
            try tensors.check(inner, shape: [rank])
            try tensors.check(outer, shape: [module.outputs])
            guard a.shape[1] >= module.inputs, b.shape[0] >= module.outputs else {
                throw tensors.problem(
                    inner, .mismatch,
                    "the module takes \(module.inputs) inputs and \(module.outputs) outputs, the shared matrices have "
                        + "\(a.shape[1]) and \(b.shape[0])", advice: "is it another model's adapter?")
            }
            size += rank * (module.inputs + module.outputs)
            guard size <= Self.maximumSize else {
                throw tensors.problem(a, .unsupported, "with all modules it makes more than 8 GiB")
            }
            let down = try compute.scaled(a, rows: rank, columns: module.inputs, rowFactors: inner)
            let up = try compute.scaled(b, rows: module.outputs, columns: rank, rowFactors: outer)
            effects.deltas.append(
                LowRankDelta(module: name, down: down, up: up, scale: 1, bias: nil, magnitude: nil))
        }
    }

    func refuse(_ unusable: [String]) throws(CheckpointError) {
        for field in unusable {
            guard let value = fields.value(field), value.bool != false, value.string != "" else { continue }
            throw fields.mismatch(field, "is not supported for \(config.kind.rawValue)", kind: .unsupported)
        }
    }
}

// MARK: Products

extension AdapterReader {
    /// LoHa: `(A1 B1) * (A2 B2)` element by element, which has rank r² exactly: columns and rows in all pairs.
    mutating func readLoHa() throws(CheckpointError) {
        try refuse(["use_effective_conv2d"])
        let settings = try LowRankSettings(fields, alpha: "alpha")
        for name in tensors.modules(with: ".hada_w1_a") {
            let module = try module(name, ".hada_w1_a", [.linear])
            let (rank, scale) = try settings.settings(for: name, &budget)
            var up: [TensorView] = []
            var down: [TensorView] = []
            for part in [".hada_w1", ".hada_w2"] {
                up.append(try tensors.require(name, part + "_a", beside: ".hada_w1_a"))
                down.append(try tensors.require(name, part + "_b", beside: ".hada_w1_a"))
            }
            for matrix in up { try tensors.check(matrix, shape: [module.outputs, rank]) }
            for matrix in down { try tensors.check(matrix, shape: [rank, module.inputs]) }
            try checkRank(rank * rank, module, up[0])
            effects.deltas.append(
                LowRankDelta(
                    module: name, down: try compute.rowPairs(down[0], down[1]),
                    up: try compute.columnPairs(up[0], up[1]), scale: scale, bias: nil, magnitude: nil))
        }
    }

    /// LoKr: the Kronecker product of W1 `[a, c]` and W2 = P Q `[b, k] [k, d]`. It is (1 ⊗ P)(W1 ⊗ Q) of rank a k and
    /// (W1 ⊗ P)(1 ⊗ Q) of rank c k; the smaller is taken.
    mutating func readLoKr() throws(CheckpointError) {
        try refuse(["use_effective_conv2d"])
        guard config.peftVersion != nil else {
            throw fields.mismatch(
                "peft_version", "is missing: LoKr files of PEFT before 0.18 can have another meaning",
                kind: .unsupported, advice: "convert it to LoRA with the PEFT that made it")
        }
        let settings = try LowRankSettings(fields, alpha: "alpha")
        let names = Set(tensors.modules(with: ".lokr_w1") + tensors.modules(with: ".lokr_w1_a")).sorted()
        for name in names {
            let module = try module(name, ".lokr_w1", [.linear])
            let (rank, scale) = try settings.settings(for: name, &budget)
            let outer = try factors(name, ".lokr_w1", rank)
            let inner = try factors(name, ".lokr_w2", rank)
            let (a, c) = (outer.rows, outer.columns)
            guard a * inner.rows == module.outputs, c * inner.columns == module.inputs else {
                throw tensors.problem(
                    outer.left, .mismatch,
                    "factors of [\(a), \(c)] and [\(inner.rows), \(inner.columns)] do not make a matrix of "
                        + "\(module.weightShape)", advice: "is it another model's adapter?")
            }
            try checkRank(min(a, c) * inner.rank, module, outer.left)
            let first = try outer.right.map { (right) throws(CheckpointError) in try compute.product(outer.left, right)
            }
            let one = try compute.identity(min(a, c))
            // A factor that is stored whole is the product of one and itself.
            let left = inner.right == nil ? try compute.identity(inner.rows) : inner.left
            let right = inner.right ?? inner.left
            let up = try compute.kronecker(a < c ? one : first ?? outer.left, left)
            let down = try compute.kronecker(a < c ? first ?? outer.left : one, right)
            effects.deltas.append(
                LowRankDelta(module: name, down: down, up: up, scale: scale, bias: nil, magnitude: nil))
        }
    }

    /// A matrix that is stored whole, or as a product of two.
    private struct Factors {
        let left: TensorView
        let right: TensorView?

        var rows: Int { left.shape[0] }
        var columns: Int { (right ?? left).shape[1] }
        var rank: Int { right?.shape[0] ?? rows }
    }

    private mutating func factors(
        _ module: String, _ part: String, _ rank: Int
    ) throws(CheckpointError) -> Factors {
        if let whole = try tensors.take(module, part) {
            try checkMatrix(whole)
            return Factors(left: whole, right: nil)
        }
        let left = try tensors.require(module, part + "_a", beside: ".lokr_w1")
        let right = try tensors.require(module, part + "_b", beside: ".lokr_w1")
        try checkMatrix(left)
        try checkMatrix(right)
        guard left.shape[1] == rank, right.shape[0] == rank else {
            throw tensors.problem(
                left, .mismatch,
                "expected rank \(rank), as adapter_config.json says, found \(left.shape[1]) and \(right.shape[0])",
                advice: "configuration and weights do not belong together")
        }
        return Factors(left: left, right: right)
    }

    private func checkMatrix(_ tensor: TensorView) throws(CheckpointError) {
        guard tensor.shape.count == 2, tensor.count > 0, tensor.shape.allSatisfy({ $0 <= 1 << 24 }) else {
            throw tensors.problem(tensor, .mismatch, "expected a matrix, found \(tensor.shape)")
        }
    }

    /// Refuses a product that is not much smaller than the module's own weight: it would cost more than it changes.
    private func checkRank(
        _ rank: Int, _ module: ModelCatalog.Module, _ tensor: TensorView
    ) throws(CheckpointError) {
        guard rank <= max(1, min(module.inputs, module.outputs) / 2) else {
            throw tensors.problem(
                tensor, .unsupported,
                "as a low-rank change it has rank \(rank), half the size of a \(module.weightShape) weight or more",
                advice: "convert it to LoRA with peft.convert_to_lora at a rank that keeps its accuracy")
        }
    }
}

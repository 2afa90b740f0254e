import CKernels
import Checkpoints
import Compute

/// The tensors of an adapter's file, taken one by one; what is left over in the end is an error.
struct AdapterTensors {
    let file: String
    private var left: [String: TensorView] = [:]
    private(set) var names: [String] = []

    static let modelPrefix = "base_model.model."
    private static let dtypes: Set<TensorDType> = [.float32, .float16, .bfloat16]

    /// Opens `adapter_model.safetensors` in `folder`.
    init(folder: String) throws(CheckpointError) {
        file = folder + "/adapter_model.safetensors"
        let weights: SafetensorsFile
        do { weights = try SafetensorsFile(path: file) } catch {
            throw error.kind == .missing ? Self.missing(in: folder) : error
        }
        guard !weights.names.isEmpty else {
            throw CheckpointError(
                .mismatch, file: file, "has no tensors",
                advice: "the adapter was saved without its weights: save it again")
        }
        names = weights.names
        for name in names { left[name] = weights.tensor(name) }
    }

    private static func missing(in folder: String) -> CheckpointError {
        let pickle = folder + "/adapter_model.bin"
        guard (try? MappedFile(path: pickle)) != nil else {
            return CheckpointError(.missing, file: folder, "has no adapter_model.safetensors")
        }
        return CheckpointError(
            .unsupported, file: pickle, "is in Python's pickle format, which can run any code when it is read",
            advice: "convert it where you trust it, in the adapter's folder: python -c \"import torch; "
                + "from safetensors.torch import save_file; "
                + "w = torch.load('adapter_model.bin', map_location='cpu', weights_only=True); "
                + "save_file({k: v.contiguous() for k, v in w.items()}, 'adapter_model.safetensors', {'format': 'pt'})\""
        )
    }

    // MARK: Taking

    /// Names of modules in the model that have a tensor `module + suffix` left, sorted.
    func modules(with suffix: String) -> [String] {
        left.keys.filter { $0.hasPrefix(Self.modelPrefix) && $0.hasSuffix(suffix) }
            .map { String($0.dropFirst(Self.modelPrefix.count).dropLast(suffix.count)) }.sorted()
    }

    /// The first dimension of a tensor of the model, taken or not; nil where there is none.
    func rows(_ module: String, _ suffix: String) -> Int? { left[Self.modelPrefix + module + suffix]?.shape.first }

    /// Takes the tensor `module + suffix` of the model if it is there.
    mutating func take(_ module: String, _ suffix: String) throws(CheckpointError) -> TensorView? {
        try take(Self.modelPrefix + module + suffix)
    }

    /// Takes the tensor `name` if it is there; every value must be finite.
    mutating func take(_ name: String) throws(CheckpointError) -> TensorView? {
        guard let tensor = left.removeValue(forKey: name) else { return nil }
        guard Self.dtypes.contains(tensor.dtype) else {
            throw problem(
                tensor, .unsupported, "expected dtype BF16, F16 or F32, found \(tensor.dtype.rawValue)",
                advice: "adapters are read in the types they are trained in, not quantized ones")
        }
        let place = tensor.withBytes { bytes in
            bytes.baseAddress.map { mk_find_nonfinite($0, tensor.storage, tensor.count) } ?? -1
        }
        guard place < 0 else {
            throw problem(
                tensor, .mismatch, "value \(place) is not a finite number",
                advice: "the training went wrong, or the file is damaged")
        }
        return tensor
    }

    /// Takes the tensor `module + suffix`, which must be there because the module has a tensor `other`.
    mutating func require(
        _ module: String, _ suffix: String, beside other: String
    ) throws(CheckpointError) -> TensorView {
        if let tensor = try take(module, suffix) { return tensor }
        throw CheckpointError(
            .missing, file: file, subject: "tensor \(CheckpointError.quoted(Self.modelPrefix + module + suffix))",
            "is not there, but '\(other)' of the same module is", advice: "the adapter was not saved completely")
    }

    /// Refuses what nobody took.
    func finish(_ kind: AdapterKind, _ catalog: ModelCatalog) throws(CheckpointError) {
        guard let name = left.keys.min() else { return }
        let others = left.count == 1 ? "" : left.count == 2 ? "; nor is 1 other" : "; nor are \(left.count - 1) others"
        throw CheckpointError(
            .unsupported, file: file, subject: "tensor \(CheckpointError.quoted(name))",
            "is not part of an adapter of type \(kind.rawValue) for this model" + others,
            advice: advice(name, catalog))
    }

    private func advice(_ name: String, _ catalog: ModelCatalog) -> String {
        guard name.hasPrefix(Self.modelPrefix) else {
            return "names of an adapter's tensors begin with '\(Self.modelPrefix)'"
        }
        let path = name.dropFirst(Self.modelPrefix.count)
        guard catalog.modules.contains(where: { path.hasPrefix($0.name + ".") }) else {
            return "the model has no such module: is it another model's adapter?"
        }
        if name.contains(".lora_B") || name.contains(".lora_embedding_B") { return "its 'lora_A' is not there" }
        return "a part of the adapter would silently be missing if it were ignored"
    }

    // MARK: Checking

    func problem(
        _ tensor: TensorView, _ kind: CheckpointError.Kind, _ text: String, advice: String? = nil
    ) -> CheckpointError {
        CheckpointError(
            kind, file: file, subject: "tensor \(CheckpointError.quoted(tensor.name))", text, advice: advice)
    }

    func check(
        _ tensor: TensorView, shape: [Int], advice: String? = "is it another model's adapter?"
    ) throws(CheckpointError) {
        guard tensor.shape == shape else {
            throw problem(tensor, .mismatch, "expected shape \(shape), found \(tensor.shape)", advice: advice)
        }
    }
}

extension TensorView {
    /// The kernels' name for the element type; `AdapterTensors.take` has ruled out all others.
    package var storage: mk_storage {
        switch dtype {
        case .bfloat16: mk_bfloat16
        case .float16: mk_float16
        default: mk_float32
        }
    }
}

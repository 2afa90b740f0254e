import ArgumentParser

/// Which model: a positional argument as in `vllm serve MODEL`, or `--model`.
struct ModelArguments: ParsableArguments {
    @Argument(help: ArgumentHelp("Model folder, or ORG/NAME[@REVISION] in the HuggingFace cache.", valueName: "model"))
    var positional: String?

    @Option(
        name: [.customLong("model"), .customShort("m")], help: "The same as the argument; the default is the demo.")
    var named: String?

    func validate() throws {
        if let positional, let named, positional != named {
            throw ValidationError("The model is given twice: '\(positional)' and --model '\(named)'.")
        }
    }

    /// The model argument; nil stands for the demo model.
    var model: String? { positional ?? named }
}

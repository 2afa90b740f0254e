import Checkpoints
import Engine

extension ModelInformation {
    /// The model's size and arithmetic in a line of a report.
    var summary: String {
        let weights = quantization == .none ? "" : ", \(quantization.rawValue) weights"
        return "\(Format.parameters(parameterCount)) parameters · \(dtype)\(weights)"
    }

    /// The same in JSON.
    func json(name: String) -> JSONObject {
        [
            "model": .string(name), "parameters": .int(parameterCount), "dtype": .string(dtype),
            "quantization": .string(quantization.rawValue), "weight_bytes": .int(weightBytesPerStep),
        ]
    }
}

import ArgumentParser
import Engine

/// `--dtype` in vLLM's spelling, as far as Martlet has the arithmetic.
enum DTypeArgument: String, ExpressibleByArgument, CaseIterable {
    case auto
    case float32
    case bfloat16
    /// vLLM's short name for float32.
    case float

    var dtype: EngineConfiguration.DType {
        switch self {
        case .auto: .auto
        case .float32, .float: .float32
        case .bfloat16: .bfloat16
        }
    }
}

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

/// `--quantization`.
enum QuantizationArgument: String, ExpressibleByArgument, CaseIterable {
    case none
    case int8
    case int4

    var quantization: EngineConfiguration.Quantization {
        switch self {
        case .none: .none
        case .int8: .int8
        case .int4: .int4
        }
    }
}

/// `--weight-compression`.
enum CompressionArgument: String, ExpressibleByArgument, CaseIterable {
    case auto
    case off
}

/// `--kv-cache-dtype`.
enum CacheDTypeArgument: String, ExpressibleByArgument, CaseIterable {
    case auto
    case float32
    case bfloat16
    case int8
    /// vLLM's name for int8 with a scale for each token and head.
    case perToken = "int8_per_token_head"

    var dtype: EngineConfiguration.CacheDType {
        switch self {
        case .auto: .auto
        case .float32: .float32
        case .bfloat16: .bfloat16
        case .int8, .perToken: .int8
        }
    }
}

/// `--scheduling-policy`.
enum SchedulingPolicyArgument: String, ExpressibleByArgument, CaseIterable {
    case fcfs
    case priority
    case fair

    var policy: EngineConfiguration.SchedulingPolicy {
        switch self {
        case .fcfs: .fcfs
        case .priority: .priority
        case .fair: .fair
        }
    }
}

import Compute
import Models

// Speed of a model folder on this machine: runner FOLDER [auto|float32|bfloat16] [threads] [sequences…]
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

let arguments = CommandLine.arguments
guard arguments.count > 1 else {
    print("usage: runner FOLDER [auto|float32|bfloat16] [threads] [sequences…]")
    exit(2)
}
let dtype = arguments.count > 2 ? ModelDType(rawValue: arguments[2]) ?? .auto : .auto
let threads = arguments.count > 3 ? Int(arguments[3]) ?? 1 : CPUInfo.current.coreCount
let clock = ContinuousClock()
let start = clock.now
let runner = try loadModel(folder: arguments[1], dtype: dtype, pool: WorkerPool(workerCount: threads))
print(
    "\(CPUInfo.current.brand), \(KernelSet.default.name), \(threads) threads, \(runner.shape.dtype.rawValue), "
        + "\(runner.shape.parameterCount) parameters, \(runner.shape.weightBytes >> 20) MiB, loaded in \(clock.now - start)"
)
let counts = arguments.dropFirst(4).compactMap { Int($0) }
for sequences in counts.isEmpty ? [1, 8, 32] : counts {
    var benchmark = RunnerBenchmark()
    benchmark.sequences = sequences
    if sequences > 1 { benchmark.promptLength = 128 }
    let result = try benchmark.run(runner)
    print(
        "\(sequences) sequences, prompt \(benchmark.promptLength): prefill \(Int(result.prefill)) tokens/s, "
            + "decode \((result.decode * 10).rounded() / 10) tokens/s, step \((result.step * 1e6).rounded() / 1e3) ms")
}

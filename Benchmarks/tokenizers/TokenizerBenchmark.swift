import Foundation
import Tokenizers

/// Loads a tokenizer, encodes and decodes a file, and prints processor seconds: the median of several rounds.
@main
enum TokenizerBenchmark {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3 else {
            print("usage: TokenizerBenchmark MODEL_FOLDER TEXT_FILE")
            exit(2)
        }
        let data = try Data(contentsOf: URL(fileURLWithPath: arguments[2]))
        let text = String(decoding: data, as: UTF8.self)
        let load = try median(5) { _ = try Tokenizer(folder: arguments[1]) }
        let tokenizer = try Tokenizer(folder: arguments[1])
        var ids: [Int32] = []
        let encode = median(9) { ids = tokenizer.encode(text, addSpecialTokens: false) }
        let decode = median(9) { _ = tokenizer.decode(ids, skipSpecialTokens: false) }
        let megabytes = Double(data.count) / 1e6
        print(
            "martlet  load \(rounded(load)) s, encode \(rounded(megabytes / encode)) MB/s, "
                + "decode \(rounded(megabytes / decode)) MB/s, \(ids.count) ids")
    }

    private static func median(_ rounds: Int, _ body: () throws -> Void) rethrows -> Double {
        var times: [Double] = []
        for _ in 0..<rounds {
            let start = processorTime()
            try body()
            times.append(processorTime() - start)
        }
        return times.sorted()[rounds / 2]
    }

    private static func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static func rounded(_ value: Double) -> String { String(format: "%.3f", value) }
}

import ArgumentParser
import Checkpoints

/// Where the results of a measurement go.
struct BenchOutput: ParsableArguments {
    @Option(
        name: [.customLong("json"), .customLong("output-json")],
        help: ArgumentHelp(
            "Also write the results as one JSON object; - is standard output, without the table.", valueName: "file"))
    var path: String?

    /// Writes the table, or the object, or both.
    func write(_ text: (Terminal) -> String, json: () -> JSONObject) throws {
        if path != "-" { Terminal.output.write(text(.output)) }
        guard let path else { return }
        let line = JSONValue.object(json()).compactText + "\n"
        if path == "-" { Terminal.output.write(line) } else { try OutputFile.write(line, to: path) }
    }
}

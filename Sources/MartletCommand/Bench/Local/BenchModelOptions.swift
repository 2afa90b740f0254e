import ArgumentParser
import Engine
import SyntheticModels

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The model that a local measurement loads, and how.
struct BenchModelOptions: ParsableArguments {
    /// Shapes of models with random weights.
    enum ShapeArgument: String, ExpressibleByArgument, CaseIterable {
        case demo
        case smol = "135m"
        case oneBillion = "1b"

        var shape: RandomModel.Shape? {
            switch self {
            case .demo: nil
            case .smol: .smol
            case .oneBillion: .oneBillion
            }
        }
    }

    @OptionGroup var model: ModelArguments

    @Option(help: "Measure random weights of this shape instead of a model; demo is the demo model itself.")
    var shape: ShapeArgument?

    @OptionGroup(title: "Engine") var engine: EngineOptions
    @OptionGroup(title: "Steps") var batch: BatchOptions

    func validate() throws {
        guard shape == nil || model.model == nil else { throw ValidationError("Give either a model or --shape.") }
    }

    /// What the model is called in reports.
    var name: String { shape?.rawValue ?? model.model ?? "demo" }

    func configuration() throws -> EngineConfiguration {
        var configuration = try engine.configuration(model: model.model)
        batch.apply(to: &configuration)
        return configuration
    }

    /// Loads the model, or random weights that are removed again once they are in memory.
    func load(_ configuration: EngineConfiguration, _ progress: StatusLine) async throws -> LLM {
        guard let shape = shape?.shape else {
            progress.clear()
            return try await LLM.loadShowingProgress(configuration)
        }
        progress.show("Writing random weights")
        let folder = try RandomModel(shape: shape).write()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        progress.clear()
        var configuration = configuration
        configuration.model = folder
        return try await LLM.loadShowingProgress(configuration)
    }
}

import ArgumentParser
import Engine
import Foundation
import SyntheticModels

/// Which random model a measurement of adapters runs, and how often.
struct AdapterModel: ParsableArguments {
    enum Shape: String, ExpressibleByArgument, CaseIterable {
        case tiny
        case smol = "135m"
        case oneBillion = "1b"

        var random: RandomModel.Shape {
            switch self {
            case .tiny: .tiny
            case .smol: .smol
            case .oneBillion: .oneBillion
            }
        }
    }

    @Option(help: "Random weights of this shape; tiny is for trying out.")
    var shape: Shape = .oneBillion

    @Option(help: "Runs of each measurement, interleaved; medians are reported.")
    var repeats = 3

    /// Writes the model, and removes it with all adapters at the end.
    func withFolder(_ body: (ModelFolder) async throws -> Void) async throws {
        let folder = ModelFolder(path: try RandomModel(shape: shape.random).write(), shape: shape.random)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        try await body(folder)
    }
}

/// A random model's folder, with adapters beside its files.
struct ModelFolder: Sendable {
    let path: String
    let shape: RandomModel.Shape

    func adapter(_ kind: RandomAdapter.Kind, _ number: Int) -> RandomAdapter {
        RandomAdapter(shape: shape, kind: kind, number: number)
    }

    /// Writes an adapter; returns its folder.
    func write(_ kind: RandomAdapter.Kind, _ number: Int) throws -> String {
        try adapter(kind, number).write(in: path)
    }

    /// An engine with room for the longest sequence and `others` bytes.
    func engine(
        maxLength: Int, others: Int, _ change: (inout EngineConfiguration) -> Void = { _ in }
    ) async throws -> InferenceEngine {
        var configuration = EngineConfiguration(model: path)
        configuration.maxModelLength = maxLength
        configuration.cacheMemory = (maxLength + configuration.blockSize) * shape.cacheBytesPerToken + others
        configuration.cacheIdleTimeout = nil
        change(&configuration)
        return try await InferenceEngine.load(configuration)
    }
}

/// Series of one measurement by name, for medians of interleaved runs.
struct Series {
    private var values: [String: [Double]] = [:]

    mutating func add(_ name: String, _ value: Double) { values[name, default: []].append(value) }

    func median(_ name: String) -> Double { (values[name] ?? []).median }

    /// The median in milliseconds, as it is reported.
    func milliseconds(_ name: String) -> String { short(median(name) * 1000) + " ms" }
}

extension InferenceEngine {
    /// Runs requests, `clients` at a time, and waits for all.
    func runAll(
        _ count: Int, clients: Int, _ request: @escaping @Sendable (Int) async throws -> Timeline
    ) async throws -> [Timeline] {
        try await withThrowingTaskGroup(of: [Timeline].self) { group in
            for client in 0..<min(clients, count) {
                group.addTask {
                    var timelines: [Timeline] = []
                    for index in stride(from: client, to: count, by: clients) {
                        timelines.append(try await request(index))
                    }
                    return timelines
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }
}

extension [Timeline] {
    /// Tokens in a second while all of them decode.
    var decodeRate: Double {
        let start = compactMap(\.tokens.first).max() ?? .now
        let end = compactMap(\.tokens.last).max() ?? .now
        return Double(flatMap(\.tokens).count { $0 > start }) / start.duration(to: end).inSeconds
    }
}

import Adapters
import Checkpoints
import Models
import SyntheticModels
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite("Adapters of random weights")
struct RandomAdapterTests {
    private static let shape = RandomModel.Shape(
        name: "tiny", hidden: 32, layers: 2, heads: 4, keyValueHeads: 2, headDimension: 8, intermediate: 48,
        vocabulary: 2048)

    @Test func readersAcceptEveryKind() throws {
        let model = try RandomModel(shape: Self.shape).write()
        defer { try? FileManager.default.removeItem(atPath: model) }
        let catalog = try ModelRegistry.catalog(folder: model)
        func load(_ kind: RandomAdapter.Kind, _ number: Int = 0) throws -> LoadedAdapter {
            let adapter = RandomAdapter(shape: Self.shape, kind: kind, number: number)
            return try AdapterLoader.load(folder: try adapter.write(in: model), catalog: catalog)
        }
        #expect(try load(.lora(rank: 4)).effects.ranks == [4])
        #expect(try load(.activated(rank: 4, invocation: [3, 5])).activation == .afterTokens([3, 5], offset: 0))
        #expect(try load(.prefix(tokens: 5)).effects.prefix != nil)
        #expect(try load(.softPrompt(tokens: 5)).effects.promptEmbeddings?.tasks.count == 1)
        for kind in [RandomAdapter.Kind.lora(rank: 4), .prefix(tokens: 5), .softPrompt(tokens: 5)] {
            let digests = try (0..<3).map { try load(kind, $0).digest.description }
            #expect(Set(digests).count == 3)
        }
    }
}

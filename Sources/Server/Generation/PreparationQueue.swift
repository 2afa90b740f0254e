import Checkpoints
import Dispatch
import NIOCore
import OpenAIProtocol

/// Where bodies are parsed, templates rendered and prompts tokenized: never on the threads that serve connections.
///
/// Large bodies take turns, so that several of them cannot multiply the memory that a parsed body needs.
final class PreparationQueue: Sendable {
    private let small = DispatchQueue(label: "martlet.prepare", attributes: .concurrent)
    private let large = DispatchQueue(label: "martlet.prepare.large")
    private static let largeBytes = 1 << 20

    /// Parses `body` and hands the value to `work`.
    func run<Value: Sendable>(
        _ body: ByteBuffer, depth: Int, _ work: @escaping @Sendable (JSONValue) throws(APIError) -> Value
    ) async throws(APIError) -> Value {
        let queue = body.readableBytes >= Self.largeBytes ? large : small
        let result: Result<Value, APIError> = await withCheckedContinuation { continuation in
            queue.async {
                continuation.resume(
                    returning: Result { () throws(APIError) in try work(try Self.parse(body, depth: depth)) })
            }
        }
        return try result.get()
    }

    private static func parse(_ body: ByteBuffer, depth: Int) throws(APIError) -> JSONValue {
        let parsed = body.withUnsafeReadableBytes { bytes in
            Result { () throws(JSONError) in
                try JSONValue(parsing: bytes.assumingMemoryBound(to: UInt8.self), maximumDepth: depth)
            }
        }
        do throws(JSONError) { return try parsed.get() } catch {
            throw .badRequest("The request body is not valid: \(error)")
        }
    }
}

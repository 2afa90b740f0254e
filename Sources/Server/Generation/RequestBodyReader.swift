import HTTPTypes
import Hummingbird
import NIOCore
import OpenAIProtocol

extension Request {
    /// Reads a JSON body into the request, refusing what is too large, compressed or of another type.
    ///
    /// Stores the body in the request: only then may the response watch for the client's disconnect.
    mutating func collectJSON(upTo limit: Int) async throws -> ByteBuffer {
        if let encoding = headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw APIError.unsupportedMedia("Compressed request bodies are not supported.")
        }
        let type = headers[.contentType]?.split(separator: ";").first.map { $0.lowercased().filter { $0 != " " } }
        guard type == "application/json" else {
            throw APIError.unsupportedMedia("Unsupported Media Type: Only 'application/json' is allowed.")
        }
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw APIError.tooLarge(limit: limit)
        }
        do {
            return try await collectBody(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw APIError.tooLarge(limit: limit)
        }
    }
}

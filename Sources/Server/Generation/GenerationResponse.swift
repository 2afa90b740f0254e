import HTTPTypes
import Hummingbird
import NIOCore
import OpenAIProtocol

/// The one place where a generation becomes a response.
///
/// The request's body must have been read with `collectJSON`, which stores it in the request: only then does
/// `consumeWithCancellationOnInboundClose` take the path that survives a client's disconnect. It notices the disconnect
/// also while the request still waits for its turn, cancels the generation, and closes the connection after the
/// response. A client that shuts its sending side after the request counts as gone.
enum GenerationResponse {
    static func make(_ request: Request, _ run: GenerationRun, stream: Bool, _ encoder: some EventEncoder) async throws
        -> Response
    {
        stream ? streaming(request, run, encoder) : try await collected(request, run, encoder)
    }

    private static func streaming(_ request: Request, _ run: GenerationRun, _ encoder: some EventEncoder) -> Response {
        let body = ResponseBody { writer in
            try await request.body.consumeWithCancellationOnInboundClose { _ in
                try await write(run, encoder, to: &writer)
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache", .connection: "close",
            ], body: body)
    }

    /// Errors after the head can only be told within the stream; silence would look like success.
    private static func write(
        _ run: GenerationRun, _ encoder: some EventEncoder, to writer: inout any ResponseBodyWriter
    ) async throws {
        var encoder = encoder
        do {
            try await run.consume { prompt, event in
                let bytes = encoder.append(event, prompt: prompt)
                if !bytes.isEmpty { try await writer.write(ByteBuffer(bytes: bytes)) }
            }
            try await writer.write(ByteBuffer(bytes: encoder.finish()))
            run.log(encoder.usage, outcome: "finished")
        } catch let error as APIError {
            run.log(encoder.usage, outcome: error.type)
            try await writer.write(ByteBuffer(bytes: ServerSentEvents.failure(error)))
        } catch {
            run.log(encoder.usage, outcome: "aborted by the client")
            throw error
        }
    }

    private static func collected(
        _ request: Request, _ run: GenerationRun, _ encoder: some EventEncoder
    ) async throws -> Response {
        let bytes = try await request.body.consumeWithCancellationOnInboundClose { _ in
            try await collect(run, encoder)
        }
        var response = Response.json(bytes)
        response.headers[.connection] = "close"
        return response
    }

    private static func collect(_ run: GenerationRun, _ encoder: some EventEncoder) async throws -> [UInt8] {
        var encoder = encoder
        do {
            try await run.consume { prompt, event in _ = encoder.append(event, prompt: prompt) }
            run.log(encoder.usage, outcome: "finished")
            return encoder.finish()
        } catch let error as APIError {
            run.log(encoder.usage, outcome: error.type)
            throw error
        } catch {
            run.log(encoder.usage, outcome: "aborted by the client")
            throw error
        }
    }
}

extension Response {
    static func json(_ bytes: [UInt8], status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

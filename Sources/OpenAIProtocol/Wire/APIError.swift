import Engine
import Sampling

/// A refusal as clients see it: the HTTP status and the members of the body's `error` object.
///
/// Statuses and types follow vLLM; `code` on the wire repeats the status, as vLLM's does.
package struct APIError: Error, Sendable, Equatable, CustomStringConvertible {
    package var status: Int
    package var type: String
    package var message: String
    /// The path of the request's field to blame, if one is.
    package var parameter: String?
    /// Seconds after which trying again makes sense.
    package var retryAfter: Int?

    package init(status: Int, type: String, message: String, parameter: String? = nil, retryAfter: Int? = nil) {
        self.status = status
        self.type = type
        self.message = message
        self.parameter = parameter
        self.retryAfter = retryAfter
    }

    package var description: String { "\(status) \(type): \(message)" }
}

extension APIError {
    package static func badRequest(_ message: String, parameter: String? = nil) -> APIError {
        APIError(status: 400, type: "BadRequestError", message: message, parameter: parameter)
    }

    package static func unauthorized() -> APIError {
        APIError(
            status: 401, type: "AuthenticationError",
            message: "A valid API key is required: send it as `Authorization: Bearer KEY` or `x-api-key: KEY`.")
    }

    package static func notFound(_ message: String, parameter: String? = nil) -> APIError {
        APIError(status: 404, type: "NotFoundError", message: message, parameter: parameter)
    }

    package static func methodNotAllowed(_ method: String, allowed: String) -> APIError {
        APIError(
            status: 405, type: "MethodNotAllowedError",
            message: "The method \(quoted(method)) is not allowed here; use \(allowed).")
    }

    package static func timeout(seconds: Double) -> APIError {
        APIError(
            status: 408, type: "RequestTimeoutError", message: "The request exceeded the time limit of \(seconds) s.")
    }

    package static func tooLarge(limit: Int) -> APIError {
        APIError(
            status: 413, type: "PayloadTooLargeError",
            message: "The request body is larger than the limit of \(limit) bytes.")
    }

    package static func unsupportedMedia(_ message: String) -> APIError {
        APIError(status: 415, type: "UnsupportedMediaTypeError", message: message)
    }

    package static func internalError(_ message: String) -> APIError {
        APIError(status: 500, type: "InternalServerError", message: message)
    }

    package static func unavailable(_ message: String, retryAfter: Int?) -> APIError {
        APIError(status: 503, type: "ServiceUnavailableError", message: message, retryAfter: retryAfter)
    }

    package init(_ error: EngineError) {
        switch error {
        case .invalidRequest(let parameter, let message): self = .badRequest(message, parameter: parameter)
        case .unknownAdapter(let name):
            self = .notFound("The model \(Self.quoted(name)) does not exist.", parameter: "model")
        case .overloaded(let seconds): self = .unavailable(error.description, retryAfter: max(seconds, 1))
        case .shuttingDown: self = .unavailable(error.description, retryAfter: 5)
        case .failed(let message): self = .internalError(message)
        }
    }

    package init(_ error: ParameterError) {
        self = .badRequest(error.message, parameter: error.parameter)
    }

    /// The refusal of a request's prompt, with the place of that prompt among several before the message.
    package func placed(_ path: String?) -> APIError {
        guard let path, status == 400, parameter == "prompt" else { return self }
        var result = self
        result.message = "\(path): \(message)"
        return result
    }

    /// Text of a client in an error message: quoted and cut, so that a message stays small.
    package static func quoted(_ text: String) -> String {
        let limit = 128
        return text.unicodeScalars.count <= limit
            ? "`\(text)`" : "`\(String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit))))…`"
    }

    /// The response body: `{"error":{"message","type","param","code"}}`.
    package var body: [UInt8] {
        var json = JSONBuffer()
        append(to: &json)
        return json.bytes
    }

    package func append(to json: inout JSONBuffer) {
        json.raw(#"{"error":{"message":"#)
        json.string(message)
        json.raw(#","type":"#)
        json.string(type)
        json.raw(#","param":"#)
        json.optional(parameter)
        json.raw(#","code":"#)
        json.integer(status)
        json.raw("}}")
    }
}

import Checkpoints
import NIOCore
import NIOHTTP1
import NIOPosix

/// Asks a running server: one connection for each request, JSON both ways.
struct ServerClient: Sendable {
    let address: ServerAddress
    /// Sent as a bearer token.
    let key: String?

    /// Largest answer that is read, in bytes.
    private static let limit = 64 << 20

    private typealias Connection = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    /// Sends a request and returns the answer's JSON, nil for an empty one.
    ///
    /// There is no time limit after the connection is made: loading an adapter may take a while.
    func send(
        _ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil
    ) async throws(ServerFailure) -> JSONValue? {
        let status: Int
        var bytes: [UInt8] = []
        do {
            status = try await exchange(method, path, body) { _, piece in
                bytes += piece.readableBytesView
                guard bytes.count <= Self.limit else {
                    throw ServerFailure(.unreachable, "The answer of \(address) is too large to be one.")
                }
            }
        } catch let failure as ServerFailure {
            throw failure
        } catch {
            throw ServerFailure(
                .unreachable,
                "No server answers at \(address) (\(Self.reason(error))). Is 'martlet serve' running there? "
                    + "--url names another address.")
        }
        let json = bytes.isEmpty ? nil : try? JSONLineLoop.value(bytes)
        guard (200..<300).contains(status) else { throw ServerFailure(status: status, body: json, address: address) }
        guard bytes.isEmpty || json != nil else {
            throw ServerFailure(.unreachable, "\(address) answers, but not with JSON; is it a Martlet server?")
        }
        return json
    }

    /// Sends a request and hands over each piece of the answer's body, with its status, as it comes; returns the status.
    func exchange(
        _ method: HTTPMethod, _ path: String, _ body: JSONValue?,
        receive: (_ status: Int, _ piece: ByteBuffer) throws -> Void
    ) async throws -> Int {
        let connection = try await connect()
        let content = body.map { Array($0.compactText.utf8) }
        let head = head(method, path, bodyCount: content?.count)
        return try await connection.executeThenClose { inbound, outbound in
            try await outbound.write(.head(head))
            if let content { try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: content)))) }
            try await outbound.write(.end(nil))
            var status = 0
            for try await part in inbound {
                switch part {
                case .head(let head): status = Int(head.status.code)
                case .body(let piece): try receive(status, piece)
                case .end: return status
                }
            }
            throw ServerFailure(.unreachable, "\(address) closed the connection before its answer was complete.")
        }
    }

    private func connect() async throws -> Connection {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(10))
            .connect(host: address.host, port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
    }

    private func head(_ method: HTTPMethod, _ path: String, bodyCount: Int?) -> HTTPRequestHead {
        var headers: HTTPHeaders = [
            "Host": address.authority, "Connection": "close", "Accept": "application/json, text/event-stream",
        ]
        if let key { headers.add(name: "Authorization", value: "Bearer \(key)") }
        if let bodyCount {
            headers.add(name: "Content-Type", value: "application/json")
            headers.add(name: "Content-Length", value: "\(bodyCount)")
        }
        return HTTPRequestHead(version: .http1_1, method: method, uri: address.prefix + path, headers: headers)
    }

    /// What went wrong, without the inner life of the network library.
    static func reason(_ error: any Error) -> String {
        guard let failure = error as? NIOConnectionError else { return "\(error)" }
        if failure.dnsAError != nil, failure.connectionErrors.isEmpty {
            return "the name '\(failure.host)' is not known"
        }
        guard let first = failure.connectionErrors.first?.error else { return "no connection" }
        return (first as? IOError).map {
            "\($0.errnoCode == 111 || $0.errnoCode == 61 ? "connection refused" : "\($0)")"
        }
            ?? "\(first)"
    }
}

import Checkpoints
import Foundation

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

private let systemSend = send
private let systemSocket = socket

/// Blocking HTTP/1.1 over a plain socket: what well-behaved clients never do must be possible here.
///
/// Used on threads of its own (`onThread`), since blocking one of the concurrency pool could starve the server.
final class RawClient {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let socket: Int32
    private var received: [UInt8] = []

    init(port: Int, receiveBuffer: Int32? = nil) throws {
        socket = systemSocket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw Failure(description: "socket: errno \(errno)") }
        // Not a test of time, only an end to waiting for what never comes.
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        if var receiveBuffer {
            setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure(description: "connect: errno \(errno)") }
    }

    deinit { close(socket) }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                systemSend(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(description: "send: errno \(errno)") }
            sent += count
        }
    }

    /// Says that nothing more will be sent.
    func finishSending() { shutdown(socket, Int32(SHUT_WR)) }

    /// Makes closing send a reset instead of an orderly end.
    func resetOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Reads until `marker` has arrived; returns all up to and including it.
    func read(until marker: String) throws -> String {
        let marker = Array(marker.utf8)
        var searched = 0
        while true {
            if let end = find(marker, from: searched) {
                defer { received.removeFirst(end) }
                return String(decoding: received[..<end], as: UTF8.self)
            }
            searched = max(received.count - marker.count, 0)
            guard try fill() else {
                throw Failure(
                    description: "closed before \(String(decoding: marker, as: UTF8.self)): "
                        + String(decoding: received, as: UTF8.self))
            }
        }
    }

    func read(count: Int) throws -> [UInt8] {
        while received.count < count {
            guard try fill() else { throw Failure(description: "closed after \(received.count) of \(count) bytes") }
        }
        defer { received.removeFirst(count) }
        return Array(received.prefix(count))
    }

    /// Reads to the end of the connection; a reset counts as an end.
    func readToEnd() -> [UInt8] {
        while (try? fill()) == true {}
        defer { received = [] }
        return received
    }

    private func find(_ marker: [UInt8], from start: Int) -> Int? {
        guard received.count >= marker.count else { return nil }
        for position in start...(received.count - marker.count)
        where received[position] == marker[0] && received[position..<position + marker.count].elementsEqual(marker) {
            return position + marker.count
        }
        return nil
    }

    private func fill() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket, &buffer, buffer.count, 0)
        guard count >= 0 else { throw Failure(description: "recv: errno \(errno)") }
        received += buffer.prefix(count)
        return count > 0
    }
}

/// A whole response.
struct RawResponse: Sendable {
    var status = 0
    /// Names in lower case.
    var headers: [String: String] = [:]
    var body: [UInt8] = []

    var text: String { String(decoding: body, as: UTF8.self) }
    var json: JSONValue { get throws { try JSONValue(parsing: text) } }

    /// The data of the server-sent events.
    var events: [String] {
        text.split(separator: "\n\n").filter { $0.hasPrefix("data: ") }.map { String($0.dropFirst(6)) }
    }

    var chunks: [JSONValue] {
        get throws { try events.filter { $0 != "[DONE]" }.map { try JSONValue(parsing: $0) } }
    }

    var errorType: String? { (try? json)?["error"]?["type"]?.string }
    var errorMessage: String { (try? json)?["error"]?["message"]?.string ?? "" }
}

extension RawClient {
    /// Reads the head of a response.
    func readHead() throws -> RawResponse {
        var response = RawResponse()
        let lines = try read(until: "\r\n\r\n").split(separator: "\r\n")
        let parts = lines.first?.split(separator: " ") ?? []
        guard parts.count >= 2, let status = Int(parts[1]) else {
            throw Failure(description: "no status line: \(lines)")
        }
        response.status = status
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop(while: { $0 == " " })
            response.headers[line[..<colon].lowercased()] = String(value)
        }
        return response
    }

    func readResponse(hasBody: Bool = true) throws -> RawResponse {
        var response = try readHead()
        guard hasBody else { return response }
        if response.headers["transfer-encoding"] == "chunked" {
            while let chunk = try readChunk() { response.body += chunk }
        } else if let length = response.headers["content-length"].flatMap({ Int($0) }) {
            response.body = try read(count: length)
        }
        return response
    }

    /// The next chunk of a chunked body, or nil at its end.
    func readChunk() throws -> [UInt8]? {
        let size = try read(until: "\r\n").dropLast(1)
        guard let count = Int(size.filter { $0.isHexDigit }, radix: 16) else {
            throw Failure(description: "bad chunk size \(size)")
        }
        let bytes = try read(count: count)
        _ = try read(until: "\r\n")
        return count == 0 ? nil : bytes
    }

    func sendPost(_ path: String, _ body: String, headers: [String: String] = [:]) throws {
        var head = "POST \(path) HTTP/1.1\r\nHost: test\r\n"
        var headers = headers
        headers["Content-Type"] = headers["Content-Type"] ?? "application/json"
        headers["Content-Length"] = headers["Content-Length"] ?? "\(body.utf8.count)"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        try send(head + "\r\n" + body)
    }
}

/// Runs blocking work on a thread of its own.
func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        // Not from a pool: the server prepares requests on one, and blocked clients could use it up.
        Thread { continuation.resume(with: Result { try work() }) }.start()
    }
}

/// The data of server-sent events, from bytes that come in any pieces (WHATWG HTML, section 9.2.6).
///
/// Of the fields only `data` counts; comments and all others are skipped.
struct ServerSentEvents {
    private var line: [UInt8] = []
    /// Of the event that is being read; nil while it has none.
    private var data: [UInt8]?
    private var endedWithReturn = false

    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    /// The data of the events that `bytes` complete. O(bytes).
    mutating func add(_ bytes: some Sequence<UInt8>) -> [[UInt8]] {
        var events: [[UInt8]] = []
        for byte in bytes {
            // A line break of two bytes may come in two pieces.
            let isSecondHalf = endedWithReturn && byte == Self.lineFeed
            endedWithReturn = byte == Self.carriageReturn
            if isSecondHalf { continue }
            if byte != Self.lineFeed, byte != Self.carriageReturn {
                line.append(byte)
            } else if let event = endLine() {
                events.append(event)
            }
        }
        return events
    }

    private mutating func endLine() -> [UInt8]? {
        defer { line.removeAll(keepingCapacity: true) }
        guard !line.isEmpty else {
            defer { data = nil }
            return data
        }
        let colon = line.firstIndex(of: UInt8(ascii: ":"))
        guard line[..<(colon ?? line.endIndex)].elementsEqual("data".utf8) else { return nil }
        var value = colon.map { line[($0 + 1)...] } ?? []
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        data = data.map { $0 + [Self.lineFeed] + value } ?? Array(value)
        return nil
    }
}

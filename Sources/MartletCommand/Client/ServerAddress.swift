/// Where a running server is: `http://HOST[:PORT][/PREFIX]`.
struct ServerAddress: Equatable, CustomStringConvertible {
    static let standard = "http://127.0.0.1:8000"

    let host: String
    let port: Int
    /// Before every path: empty, or a slash and more, without a slash at the end.
    let prefix: String

    /// - Throws: `CommandError` that says what is wrong with `text`.
    init(_ text: String) throws(CommandError) {
        guard !text.lowercased().hasPrefix("https://") else {
            throw CommandError(
                "'\(text)': this program speaks plain HTTP only. Name the server's own address, or a tunnel to it "
                    + "(ssh -L 8000:localhost:8000 HOST).")
        }
        let rest = text.lowercased().hasPrefix("http://") ? text.dropFirst(7) : text[...]
        let authority = rest.prefix { $0 != "/" }
        var prefix = String(rest.dropFirst(authority.count))
        while prefix.hasSuffix("/") { prefix.removeLast() }
        guard let (host, port) = Self.split(authority), prefix.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw CommandError("'\(text)' is not an address like \(Self.standard).")
        }
        self.host = host
        self.port = port
        self.prefix = prefix
    }

    private static func split(_ authority: Substring) -> (host: String, port: Int)? {
        var host = authority
        var port = 80
        // The colons of an IPv6 address stand in brackets.
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            guard let number = Int(authority[authority.index(after: colon)...]), (1...65_535).contains(number) else {
                return nil
            }
            port = number
            host = authority[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "@") }) else {
            return nil
        }
        return (String(host), port)
    }

    /// The value of the header `Host`.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == 80 ? name : "\(name):\(port)"
    }

    var description: String { "http://\(authority)\(prefix)" }

    /// `text` as one step of a path.
    static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }
}

/// The accepted API keys, kept as digests only.
struct KeyRing: Sendable {
    private let digests: [[UInt8]]

    init(_ keys: [String]) { digests = keys.map { SHA256.digest(Array($0.utf8)) } }

    /// Whether `candidate` is a key; takes the same time for a near miss as for any other text of its length.
    func contains(_ candidate: String) -> Bool {
        let digest = SHA256.digest(Array(candidate.utf8))
        var isMatch = false
        for known in digests {
            var difference: UInt8 = 0
            for position in known.indices { difference |= known[position] ^ digest[position] }
            isMatch = difference == 0 || isMatch
        }
        return isMatch
    }
}

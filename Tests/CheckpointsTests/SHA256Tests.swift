import Testing

@testable import Checkpoints

@Suite struct SHA256Tests {
    /// Messages and digests of FIPS 180-4's examples.
    private static let vectors = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ]

    @Test func knownDigests() {
        for (text, expected) in Self.vectors { #expect(hex(SHA256.digest(Array(text.utf8))) == expected) }
    }

    @Test func piecesDoNotMatter() {
        let message = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 31) }
        let whole = SHA256.digest(message)
        for piece in [1, 7, 55, 56, 63, 64, 65, 128, 999] {
            var hash = SHA256()
            for start in stride(from: 0, to: message.count, by: piece) {
                message[start..<min(start + piece, message.count)].withUnsafeBytes { hash.add($0) }
            }
            #expect(hash.finish() == whole, "pieces of \(piece)")
        }
    }

    /// Instructions of the processor and plain C agree, for messages of every length around whole blocks.
    @Test func instructionsAndPlainCodeAgree() {
        for count in Array(0..<260) + [4096, 100_003] {
            let message = (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 7) }
            var plain = SHA256(plain: ())
            message.withUnsafeBytes { plain.add($0) }
            #expect(plain.finish() == SHA256.digest(message), "\(count) bytes")
        }
    }

    private func hex(_ digest: [UInt8]) -> String {
        digest.map { String(Int($0) + 256, radix: 16).dropFirst() }.joined()
    }
}

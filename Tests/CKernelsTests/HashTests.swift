import CKernels
import Testing

@Suite struct HashTests {
    /// Every bit of every length matters, and so does the length.
    @Test(arguments: [0, 1, 7, 8, 9, 63, 64, 65, 200])
    func everyBitCounts(count: Int) {
        var random = Seeded(UInt64(count))
        var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        let hash = mk_hash64(bytes, count)
        #expect(mk_hash64(bytes, count) == hash)
        #expect(mk_hash64(bytes + [0], count + 1) != hash)
        for bit in 0..<8 * count {
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(mk_hash64(bytes, count) != hash)
            bytes[bit / 8] ^= 1 << (bit % 8)
        }
    }

    @Test func exchangedPartsCount() {
        let bytes = (0..<256).map { UInt8($0) }
        let exchanged = Array(bytes[64..<128] + bytes[0..<64] + bytes[128...])
        #expect(mk_hash64(bytes, 256) != mk_hash64(exchanged, 256))
    }
}

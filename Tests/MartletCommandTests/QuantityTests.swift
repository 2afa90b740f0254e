import Testing

@testable import MartletCommand

@Suite("Sizes and counts on the command line")
struct QuantityTests {
    @Test(arguments: [
        ("0", 0), ("4096", 4096), ("32k", 32_000), ("32K", 32_768), ("1.5k", 1500), ("25.6k", 25_600),
        ("2m", 2_000_000), ("1G", 1 << 30), ("1_000", 1000),
    ])
    func tokenCounts(text: String, expected: Int) {
        #expect(TokenCount(argument: text)?.tokens == expected)
    }

    @Test(arguments: [
        ("1073741824", 1 << 30), ("2GiB", 2 << 30), ("2gib", 2 << 30), ("512MB", 512_000_000), ("1.5GiB", 3 << 29),
        ("2g", 2_000_000_000), ("2G", 2 << 30), ("64B", 64), ("1TiB", 1 << 40),
    ])
    func byteCounts(text: String, expected: Int) {
        #expect(ByteCount(argument: text)?.bytes == expected)
    }

    @Test(arguments: [
        "", "k", "-1", "1.5", "1x", "1 GiB", "GiB", "1..2k", "9999999999999999999", "9e9", "10000000T", "٣",
    ])
    func refusesWhatIsNoQuantity(text: String) {
        #expect(ByteCount(argument: text) == nil)
        #expect(TokenCount(argument: text) == nil)
    }

    @Test func tokensHaveNoByteUnits() { #expect(TokenCount(argument: "2GiB") == nil) }

    @Test func modelLength() {
        #expect(ModelLength(argument: "8k")?.tokens == 8000)
        #expect(ModelLength(argument: "auto")?.tokens == .some(nil))
        #expect(ModelLength(argument: "-1")?.tokens == .some(nil))
        #expect(ModelLength(argument: "long") == nil)
    }
}

/// General category of every scalar as two flat look-ups; 60 KB, built once per process.
///
/// Immutable after initialisation, which is what makes sharing its memory between threads safe.
struct CategoryTable: @unchecked Sendable {
    static let shared = CategoryTable()

    private let pageIndex: UnsafePointer<UInt16>
    private let pages: UnsafePointer<UInt8>
    /// Category sets of the 128 ASCII scalars, for scanners over bytes.
    let ascii: UnsafePointer<UInt32>

    private init() {
        let index = UnsafeMutablePointer<UInt16>.allocate(capacity: 0x1100)
        var pages: [UInt8] = []
        var known: [[UInt8]: UInt16] = [:]
        let runs = UnicodeData.categoryRuns
        var run = 0
        var page = [UInt8](repeating: 0, count: 256)
        for pageNumber in 0..<0x1100 {
            for offset in 0..<256 {
                let scalar = UInt32(pageNumber << 8 | offset)
                while run + 1 < runs.count, runs[run + 1] >> 8 <= scalar { run += 1 }
                page[offset] = UInt8(truncatingIfNeeded: runs[run])
            }
            if let number = known[page] {
                index[pageNumber] = number
            } else {
                let number = UInt16(pages.count >> 8)
                known[page] = number
                index[pageNumber] = number
                pages += page
            }
        }
        let storage = UnsafeMutablePointer<UInt8>.allocate(capacity: pages.count)
        storage.initialize(from: pages, count: pages.count)
        let ascii = UnsafeMutablePointer<UInt32>.allocate(capacity: 128)
        for byte in 0..<128 { ascii[byte] = 1 << UInt32(storage[Int(index[0]) << 8 | byte]) }
        pageIndex = UnsafePointer(index)
        self.pages = UnsafePointer(storage)
        self.ascii = UnsafePointer(ascii)
    }

    /// Index of the category of `scalar`, which must be at most U+10FFFF.
    @inline(__always)
    func category(_ scalar: UInt32) -> UInt32 {
        UInt32(pages[Int(pageIndex[Int(scalar >> 8)]) << 8 | Int(scalar & 0xFF)])
    }

    /// One bit: the category of `scalar`.
    @inline(__always)
    func bit(_ scalar: UInt32) -> UInt32 { 1 &<< category(scalar) }

    @inline(__always)
    func contains(_ scalar: UInt32, in set: CategorySet) -> Bool { bit(scalar) & set.rawValue != 0 }
}

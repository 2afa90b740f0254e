import Testing

@testable import Compute

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite struct MachineTests {
    @Test func machineIsDescribed() {
        let info = CPUInfo.current
        #expect(!info.brand.isEmpty)
        #expect(info.coreCount >= 1)
        #expect(info.availableMemory > 0 && info.availableMemory <= info.physicalMemory)
        #expect(info.availableKernelSets.first == "scalar")
        #expect(info.availableKernelSets.contains(info.kernelSet))
    }

    @Test func memoryIsZeroedAndRefusedWithAMessage() throws {
        let memory = try Memory(byteCount: 20 << 20)
        let bytes = UnsafeRawBufferPointer(start: memory.pointer, count: memory.byteCount)
        #expect(bytes.allSatisfy { $0 == 0 })
        #expect(Int(bitPattern: memory.pointer).isMultiple(of: 64))
        #expect(throws: ComputeError.self) { try Memory(byteCount: 1 << 62) }
        #expect(throws: ComputeError.self) { try FloatBuffer(count: -1) }
        #expect(throws: ComputeError.self) { try PackedLinear(inputs: 0, outputs: 4, storage: .float32) }
    }

    @Test func wholePagesLieWithin() {
        #expect(Memory.wholePages(0..<8192, pageSize: 4096) == 0..<8192)
        #expect(Memory.wholePages(1..<8192, pageSize: 4096) == 4096..<8192)
        #expect(Memory.wholePages(1..<8191, pageSize: 4096).isEmpty)
        #expect(Memory.wholePages(4096..<4096, pageSize: 4096).isEmpty)
        #expect(Memory.wholePages(5000..<6000, pageSize: 4096).isEmpty)
        #expect(Memory.wholePages(4000..<20_000, pageSize: 4096) == 4096..<16_384)
    }

    @Test func discardedMemoryCanBeWrittenAgain() throws {
        let page = Memory.pageSize
        let memory = try Memory(byteCount: 4 * page)
        let bytes = UnsafeMutableRawBufferPointer(start: memory.pointer, count: memory.byteCount)
        bytes.initializeMemory(as: UInt8.self, repeating: 7)
        memory.discard(page - 1..<3 * page + 1)
        #expect(bytes[..<page].allSatisfy { $0 == 7 } && bytes[(3 * page)...].allSatisfy { $0 == 7 })
        bytes[page] = 9
        #expect(bytes[page] == 9)
        memory.discard(-5..<100 * page)
        memory.discard(50 * page..<60 * page)
    }

    #if os(Linux)
    @Test func discardedMemoryGoesBackToTheSystem() throws {
        let memory = try Memory(byteCount: 256 << 20)
        let bytes = UnsafeMutableRawBufferPointer(start: memory.pointer, count: memory.byteCount)
        bytes.initializeMemory(as: UInt8.self, repeating: 7)
        let before = try Self.residentBytes()
        // In pieces that divide huge pages, as runs of blocks do.
        for start in stride(from: 0, to: bytes.count, by: 4 << 20) { memory.discard(start + 100..<start + 3 << 20) }
        let after = try Self.residentBytes()
        // Other tests take a little at the same time.
        #expect(after < before - 128 << 20, "\(before) before, \(after) after")
        #expect(bytes[3 << 20] == 7 && bytes[1 << 20] == 0)
    }

    /// Memory of this process that the system holds.
    private static func residentBytes() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        return try #require(text.split(separator: " ").dropFirst().first.flatMap { Int($0) }) * Memory.pageSize
    }
    #endif
}

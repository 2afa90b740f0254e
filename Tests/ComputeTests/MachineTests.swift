import Compute
import Testing

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
}

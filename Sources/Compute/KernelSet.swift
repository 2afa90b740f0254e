import CKernels

/// The kernels of one instruction set.
///
/// Everything computed with one set is the same bit for bit on every machine that has it; sets differ in rounding.
package struct KernelSet: @unchecked Sendable {
    package let table: UnsafePointer<mk_kernels>
    private let linearTable: UnsafePointer<mk_linear_kernels>

    package init(table: UnsafePointer<mk_kernels>) {
        self.table = table
        linearTable = mk_linear_kernels_for(table.pointee.isa)
    }

    /// The widest set of this machine, or the one that the environment variable `MARTLET_ISA` names.
    package static let `default` = KernelSet(table: mk_kernels_default())

    /// The set that the environment variable `MARTLET_ISA` names, if it is not the one that is used.
    package static var missing: String? {
        guard let wanted = mk_isa_wanted().map({ String(cString: $0) }), !wanted.isEmpty else { return nil }
        return wanted == KernelSet.default.name ? nil : wanted
    }

    /// All sets that run on this machine, from the scalar reference to the widest, and then those that only tests use.
    package static var available: [KernelSet] {
        (0..<UInt32(mk_isa_count)).map { mk_isa($0) }.filter(mk_isa_available)
            .map { KernelSet(table: mk_kernels_for($0)) }
    }

    /// Whether it is a set for tests: a wider one than the machine has, emulated.
    package var isEmulated: Bool { table.pointee.isa == mk_isa_amx_emulated }

    /// Short name: `scalar`, `neon`, `avx2`, `avx512`, `avx512_vnni`, `avx512_bf16`, `amx`, `amx_emulated`.
    package var name: String { String(cString: mk_isa_name(table.pointee.isa)) }

    /// Whether there are instructions that multiply bfloat16 numbers.
    package var multipliesBfloat16: Bool {
        switch table.pointee.isa {
        case mk_isa_avx512_bf16, mk_isa_amx, mk_isa_amx_emulated: true
        default: false
        }
    }

    package var tensor: mk_tensor_kernels { table.pointee.tensor }

    /// What prepares rows and multiplies them with weights of any format.
    package var linear: mk_linear_kernels { linearTable.pointee }
}

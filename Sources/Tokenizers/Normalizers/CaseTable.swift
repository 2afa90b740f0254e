/// Lower case of every scalar, as Rust's `char::to_lowercase` gives it.
struct CaseTable: Sendable {
    static let shared = CaseTable()

    private static let limit = 0x1EA00
    private let mapped: FlatBuffer<UInt32>
    private let expansions: [UInt32: [UInt32]]

    private init() {
        mapped = FlatBuffer(repeating: 0, count: Self.limit)
        var expansions: [UInt32: [UInt32]] = [:]
        let list = UnicodeData.lowercase
        var position = 0
        while position < list.count {
            let scalar = list[position] >> 8
            let count = Int(list[position] & 0xFF)
            if count == 1, scalar < UInt32(Self.limit) {
                mapped.base[Int(scalar)] = list[position + 1]
            } else {
                expansions[scalar] = Array(list[position + 1...position + count])
            }
            position += count + 1
        }
        self.expansions = expansions
    }

    func append(lowercaseOf scalar: UInt32, to output: inout ByteBuffer) {
        if scalar < UInt32(Self.limit), mapped.base[Int(scalar)] != 0 {
            output.append(scalar: mapped.base[Int(scalar)])
        } else if scalar >= 0x130, let expansion = expansions[scalar] {
            for part in expansion { output.append(scalar: part) }
        } else {
            output.append(scalar: scalar)
        }
    }
}

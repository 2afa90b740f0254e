import ArgumentParser

/// A number with a unit, as people write sizes: `4096`, `32k`, `1.5G`, `512MB`, `2GiB`.
///
/// A single letter is decimal when small and binary when large (`k` = 1000, `K` = 1024), which is vLLM's rule; `kB`,
/// `MB`, `GB`, `TB` are decimal and `KiB`, `MiB`, `GiB`, `TiB` binary in any case.
enum Quantity {
    /// The whole number that `text` means, or nil where it is none, negative or too large for 62 bits.
    static func parse(_ text: String, acceptsBytes: Bool) -> Int? {
        let number = text.prefix { $0.isNumber || $0 == "." || $0 == "_" }
        guard let scale = scale(String(text.dropFirst(number.count)), acceptsBytes: acceptsBytes) else { return nil }
        let digits = number.replacing("_", with: "")
        if let whole = Int(digits) {
            let (product, overflow) = whole.multipliedReportingOverflow(by: scale)
            return overflow || product > 1 << 62 ? nil : product
        }
        guard scale > 1, let fraction = Double(digits) else { return nil }
        let product = fraction * Double(scale)
        return product < 0x1p62 ? Int(product) : nil
    }

    private static func scale(_ unit: String, acceptsBytes: Bool) -> Int? {
        switch unit {
        case "": 1
        case "k": 1000
        case "m": 1_000_000
        case "g": 1_000_000_000
        case "t": 1_000_000_000_000
        case "K": 1 << 10
        case "M": 1 << 20
        case "G": 1 << 30
        case "T": 1 << 40
        default: acceptsBytes ? byteScale(unit.lowercased()) : nil
        }
    }

    private static func byteScale(_ unit: String) -> Int? {
        switch unit {
        case "b": 1
        case "kb": 1000
        case "mb": 1_000_000
        case "gb": 1_000_000_000
        case "tb": 1_000_000_000_000
        case "kib": 1 << 10
        case "mib": 1 << 20
        case "gib": 1 << 30
        case "tib": 1 << 40
        default: nil
        }
    }
}

/// A size in bytes: `2GiB`, `512MB`, `1073741824`.
struct ByteCount: ExpressibleByArgument, Equatable {
    let bytes: Int

    init(bytes: Int) { self.bytes = bytes }

    init?(argument: String) {
        guard let bytes = Quantity.parse(argument, acceptsBytes: true) else { return nil }
        self.bytes = bytes
    }

    var defaultValueDescription: String { Format.bytes(bytes) }
}

/// A number of tokens: `4096`, `32k`, `128K`.
struct TokenCount: ExpressibleByArgument, Equatable {
    let tokens: Int

    init(_ tokens: Int) { self.tokens = tokens }

    init?(argument: String) {
        guard let tokens = Quantity.parse(argument, acceptsBytes: false) else { return nil }
        self.tokens = tokens
    }

    var defaultValueDescription: String { String(tokens) }
}

/// The longest sequence: a number of tokens, or what the model and the memory allow (`auto`, or vLLM's `-1`).
struct ModelLength: ExpressibleByArgument, Equatable {
    /// Nil for the automatic choice.
    let tokens: Int?

    init?(argument: String) {
        if argument == "auto" || argument == "-1" {
            tokens = nil
        } else if let count = Quantity.parse(argument, acceptsBytes: false) {
            tokens = count
        } else {
            return nil
        }
    }
}

import Checkpoints

/// `rank_pattern` or `alpha_pattern`: values by patterns of module names, of which the first that matches counts.
struct PatternMap<Value: Sendable>: Sendable {
    private enum Key: Sendable {
        /// Plain text, of which a dot stands for any character.
        case ending([UInt8], isWhole: Bool)
        case pattern(ModulePattern)
    }

    private var entries: [(key: Key, value: Value)] = []

    /// Reads the object `field`; `value` makes a value of a member or throws what is wrong with it.
    init(
        _ fields: ConfigFields, _ field: String, value: (JSONValue, String) throws(CheckpointError) -> Value
    ) throws(CheckpointError) {
        guard let nested = try fields.nested(field) else { return }
        for (text, member) in nested.object {
            let value = try value(member, text)
            entries.append((try Self.key(text, fields, field), value))
        }
    }

    private static func key(_ text: String, _ fields: ConfigFields, _ field: String) throws(CheckpointError) -> Key {
        let isWhole = text.hasPrefix("^")
        let bytes = Array(isWhole ? text.utf8.dropFirst() : text.utf8[...])
        // Nearly all keys are names, and there may be one for each module.
        if bytes.allSatisfy({ ByteSet.word.contains($0) || $0 == UInt8(ascii: ".") }) {
            return .ending(bytes, isWhole: isWhole)
        }
        do { return .pattern(try ModulePattern(key: text)) } catch {
            throw fields.mismatch(
                field, "the pattern \(CheckpointError.quoted(text)): \(error.problem)",
                kind: error.isUnsupported ? .unsupported : .malformed,
                advice: "name the modules one by one, or use a pattern without special groups")
        }
    }

    /// The value for `module`, or nil where no key matches.
    func value(for module: String, _ budget: inout MatchBudget) throws(CheckpointError) -> Value? {
        let path = Array(module.utf8)
        for entry in entries {
            switch entry.key {
            case .ending(let bytes, let isWhole):
                try budget.spend(1)
                if Self.ends(path, in: bytes, isWhole: isWhole) { return entry.value }
            case .pattern(let pattern):
                if try pattern.matches(module, &budget) { return entry.value }
            }
        }
        return nil
    }

    private static func ends(_ path: [UInt8], in ending: [UInt8], isWhole: Bool) -> Bool {
        let start = path.count - ending.count
        guard start == 0 || (start > 0 && !isWhole && path[start - 1] == UInt8(ascii: ".")) else { return false }
        return zip(path[start...], ending).allSatisfy { $0 == $1 || $1 == UInt8(ascii: ".") }
    }
}

import ArgumentParser

/// Which names requests ask for, as `sql:3,pirate,martlet-demo:2`: names of adapters or of the model, each with a weight (1
/// unless given).
struct AdapterMix: ExpressibleByArgument, Equatable {
    struct Part: Equatable {
        let name: String
        let weight: Double
    }

    private(set) var parts: [Part] = []

    init(names: [String]) { parts = names.map { Part(name: $0, weight: 1) } }

    init?(argument: String) {
        for text in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let part = Self.part(text) else { return nil }
            parts.append(part)
        }
    }

    /// What stands behind the last colon is a weight if it is a number; other colons belong to the name.
    private static func part(_ text: Substring) -> Part? {
        var name = text
        var weight = 1.0
        if let colon = text.lastIndex(of: ":"), let number = Double(text[text.index(after: colon)...]) {
            guard number.isFinite, number > 0 else { return nil }
            weight = number
            name = text[..<colon]
        }
        return name.isEmpty ? nil : Part(name: String(name), weight: weight)
    }

    /// The names of `count` requests in turn: as even as the weights allow, the same in every run.
    ///
    /// Smooth weighted round robin: everybody gains its weight, the richest is served and pays the sum. O(count × parts).
    func assign(count: Int) -> [String?] {
        guard !parts.isEmpty else { return Array(repeating: nil, count: count) }
        let sum = parts.reduce(0) { $0 + $1.weight }
        var credit = Array(repeating: 0.0, count: parts.count)
        return (0..<count).map { _ in
            for index in parts.indices { credit[index] += parts[index].weight }
            var richest = 0
            for index in parts.indices where credit[index] > credit[richest] + 1e-9 * sum { richest = index }
            credit[richest] -= sum
            return parts[richest].name
        }
    }
}

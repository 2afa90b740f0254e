import Checkpoints

/// A server's adapters as people read them.
struct AdapterTable {
    private let adapters: [JSONValue]

    /// - Parameter adapters: the entries of `GET /v1/adapters`.
    init(_ adapters: [JSONValue]) { self.adapters = adapters }

    /// One line for each adapter, columns lined up.
    func text(_ terminal: Terminal) -> String {
        guard !adapters.isEmpty else { return "There are no adapters.\n" }
        let heading = ["NAME", "KIND", "RANK", "SIZE", "STATE", "REQUESTS", "IN FLIGHT", "LOAD", "DIGEST"]
        let rows = adapters.map(Self.row)
        let widths = heading.indices.map { column in
            ([heading] + rows).map { $0[column].count }.max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            var line = ""
            for (column, cell) in cells.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                line += Self.numbers.contains(column) ? padding + cell : cell + padding
                line += "  "
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
        return ([terminal.bold(line(heading))] + rows.map(line)).joined(separator: "\n") + "\n"
    }

    /// Columns that stand to the right.
    private static let numbers: Set<Int> = [2, 3, 5, 6, 7]

    private static func row(_ adapter: JSONValue) -> [String] {
        let uses = adapter["uses"]
        let inFlight = (uses?["running"]?.int ?? 0) + (uses?["waiting"]?.int ?? 0)
        return [
            name(adapter),
            adapter["kind"]?.string ?? "?",
            adapter["rank"]?.int.map(String.init) ?? "-",
            adapter["bytes"]?.int.map(Format.bytes) ?? "?",
            state(adapter),
            "\(uses?["requests"]?.int ?? 0)",
            "\(inFlight)",
            adapter["load_seconds"]?.double.map { Format.fixed($0, 3) + " s" } ?? "-",
            String((adapter["digest"]?.string ?? "-").prefix(12)),
        ]
    }

    /// Names come from clients: what could steer a terminal is left out.
    private static func name(_ adapter: JSONValue) -> String {
        let name = adapter["id"]?.string ?? "?"
        return String(
            String.UnicodeScalarView(name.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : $0 }))
    }

    private static func state(_ adapter: JSONValue) -> String {
        let place = adapter["residency"]?.string ?? "?"
        return adapter["pinned"]?.bool == true ? place + ", pinned" : place
    }

    /// What became of loading.
    static func loaded(_ adapter: JSONValue) -> String {
        let row = row(adapter)
        return "Loaded \(row[0]): \(row[1]), rank \(row[2]), \(row[3]), in \(row[7]), digest \(row[8])\n"
    }

    /// Everything about one adapter.
    static func details(_ adapter: JSONValue, _ terminal: Terminal) -> String {
        let row = row(adapter)
        let facts = [
            ("kind", row[1]), ("rank", row[2]), ("size", row[3]), ("state", row[4]), ("requests", row[5]),
            ("in flight", row[6]), ("loads", "\(adapter["loads"]?.int ?? 0)"),
            ("evictions", "\(adapter["evictions"]?.int ?? 0)"), ("load time", row[7]),
            ("last used", adapter["last_used"]?.int.map { "\($0) (Unix time)" } ?? "never"),
            ("path", adapter["path"]?.string ?? "?"), ("digest", adapter["digest"]?.string ?? "?"),
        ]
        let lines = facts.map { "  " + $0.0 + String(repeating: " ", count: max(1, 12 - $0.0.count)) + $0.1 }
        return ([terminal.bold(row[0])] + lines).joined(separator: "\n") + "\n"
    }
}

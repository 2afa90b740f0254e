/// Which modules an adapter changes, as far as it matters for using it together with others.
package struct AdapterFootprint: Sendable {
    /// Modules to whose outputs it adds something and nothing else; such changes add up exactly.
    package let added: Set<String>
    /// Modules that it changes in another way: other weights, magnitudes, factors, rows.
    package let altered: Set<String>

    /// - Parameter head: name of the output head.
    /// - Parameter copies: modules whose replaced weights are those that the model has itself.
    package init(_ effects: AdapterEffects, head: String, copies: Set<String>) {
        added = Set(effects.deltas.filter { $0.magnitude == nil }.map(\.module))
        var altered = Set(effects.deltas.filter { $0.magnitude != nil }.map(\.module))
        altered.formUnion(effects.scales.map(\.module))
        for replacement in effects.replacements
        where replacement.parameter == .bias || !copies.contains(replacement.module) {
            altered.insert(replacement.module)
        }
        for rows in effects.tokenRows {
            altered.insert(rows.module)
            if rows.changesHead { altered.insert(head) }
        }
        self.altered = altered
    }

    /// Whether the changes can be weighted: only sums can.
    package var isSum: Bool { altered.isEmpty }

    /// A module for which changes of both at once are not defined; nil if there is none.
    package func conflict(with other: AdapterFootprint) -> String? {
        altered.intersection(other.altered.union(other.added)).union(other.altered.intersection(added)).min()
    }
}

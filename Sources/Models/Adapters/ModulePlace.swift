import Compute

/// Where the outputs of a linear module lie among those of the fused layer that it is a part of.
struct ModulePlace {
    /// Output of the fused layer that is the module's first; of gate and up, outputs count within each.
    let column: Int
    let outputs: Int
    /// Gate (0) or up (1) of a fused layer whose panels alternate; nil elsewhere.
    let lane: Int?

    /// First panel that the module touches; of gate and up, panels count within each.
    var firstPanel: Int { column / PackedLinear.panel }
    /// Outputs in that panel before the module's own.
    var shift: Int { column % PackedLinear.panel }
    var panels: Range<Int> { firstPanel..<(column + outputs + PackedLinear.panel - 1) / PackedLinear.panel }

    /// The outputs of a panel that are the module's, as columns of the panel; nil if there are none.
    @inline(__always)
    func columns(of panel: Int, lane: Int?) -> Range<Int>? {
        guard self.lane == lane, panels.contains(panel) else { return nil }
        let first = panel * PackedLinear.panel
        return max(0, column - first)..<min(PackedLinear.panel, column + outputs - first)
    }

    /// The module's output in the first of the panel's columns that are its own.
    func output(of panel: Int) -> Int { max(0, panel * PackedLinear.panel - column) }

    /// Index of a panel in the fused layer.
    func fusedPanel(_ panel: Int) -> Int { lane.map { 2 * panel + $0 } ?? panel }
}

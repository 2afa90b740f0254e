import Compute

/// Outputs of some rows of a linear layer, for a run of its panels, that adapters change in place.
struct OutputPanels {
    /// Of gate and up, panels count within each.
    let panels: Range<Int>
    /// Gate (0) or up (1) where panels alternate; nil elsewhere.
    let lane: Int?
    /// The first panel in the first row.
    let base: UnsafeMutablePointer<Float>
    /// Distance of two rows.
    let stride: Int

    /// Distance of two panels in a row.
    var panelStride: Int { lane == nil ? PackedLinear.panel : 2 * PackedLinear.panel }

    /// A panel in the first row.
    @inline(__always)
    subscript(panel: Int) -> UnsafeMutablePointer<Float> { base + (panel - panels.lowerBound) * panelStride }

    /// The same panels of the rows from `row` on.
    func rows(from row: Int) -> OutputPanels {
        OutputPanels(panels: panels, lane: lane, base: base + row * stride, stride: stride)
    }
}

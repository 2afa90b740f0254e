import CKernels
import Compute

/// What an adapter does to the linear layers that share one input.
///
/// For each token the products of other weights or inputs come first, in the place of the model's own, then the low-rank
/// changes, then factors and biases.
struct AdapterGroup {
    var parts: [AdapterPart] = []
    var products: [AdapterProduct] = []
    var outputs: [AdapterOutput] = []

    /// Length of the vectors between A and B of all parts.
    var rank: Int { parts.last.map { $0.vectorOffset + $0.width } ?? 0 }
    var isEmpty: Bool { parts.isEmpty && products.isEmpty && outputs.isEmpty }
    /// Panels that the group's products need, which may be more than the model's own layer has.
    var panelCount: Int { products.reduce(0) { max($0, $1.place.panels.upperBound) } }
    var byteCount: Int {
        parts.reduce(0) { $0 + $1.byteCount } + products.reduce(0) { $0 + $1.byteCount }
            + outputs.reduce(0) { $0 + $1.byteCount }
    }
}

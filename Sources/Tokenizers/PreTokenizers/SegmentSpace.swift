/// A part of a text, as byte offsets into the buffer that holds it.
struct Piece: BitwiseCopyable {
    var start: Int
    var end: Int
}

/// The text between two added tokens on its way from the input to the model: a buffer and its pieces, doubled so that
/// each step reads one and writes the other.
final class SegmentSpace {
    var text = ByteBuffer()
    var otherText = ByteBuffer()
    var pieces: [Piece] = []
    var otherPieces: [Piece] = []
    /// Whether the first byte of `text` comes from the very start of the input; Metaspace's `first` scheme asks.
    var startsAtOrigin = true

    func swapText() { swap(&text, &otherText) }
    func swapPieces() { swap(&pieces, &otherPieces) }

    func shrink() {
        text.shrink(to: 1 << 20)
        otherText.shrink(to: 1 << 20)
        if pieces.capacity > 1 << 16 { pieces = [] }
        if otherPieces.capacity > 1 << 16 { otherPieces = [] }
    }
}

import Checkpoints

/// An adapter as it was read and checked: what it does, and what it is.
///
/// Tensors that are used as they are stored are views of the mapped file, not converted and not copied; they stay valid
/// as long as this value, or a copy of one of them, lives.
package struct LoadedAdapter: Sendable {
    package let kind: AdapterKind
    /// What the file says it was trained on, and with which PEFT.
    package let baseModel: String?
    package let peftVersion: String?
    package let effects: AdapterEffects
    package let activation: AdapterActivation
    /// Size of the vocabulary with the adapter's own tokens.
    package let vocabularySize: Int
    package let digest: AdapterDigest
    /// What a person should know and what is no error.
    package let warnings: [String]

    /// The digest of what the tensors hold now.
    ///
    /// A file that was written into since it was mapped shows its new content: whoever packs the tensors compares this
    /// with `digest` afterwards. O(bytes).
    package func currentDigest() -> AdapterDigest { AdapterDigest(effects, activation) }
}

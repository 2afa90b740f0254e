/// The scripts that patterns of tokenizers name.
enum UnicodeScripts {
    /// The scalars of a script, or nil for a name that is not known.
    static func ranges(of name: String) -> [ClosedRange<UInt32>]? {
        guard let flat = UnicodeScriptData.scripts[name.lowercased()] else { return nil }
        return stride(from: 0, to: flat.count - 1, by: 2).map { flat[$0]...flat[$0 + 1] }
    }
}

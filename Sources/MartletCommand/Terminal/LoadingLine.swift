import Engine
import Synchronization

/// A line on the terminal that tells how far loading has come, and goes away when it is done.
///
/// Nothing is written where standard error is not a terminal.
final class LoadingLine: Sendable {
    private let terminal: Terminal
    private let name: String
    private let shown = Mutex<(stage: LoadProgress.Stage, percent: Int)?>(nil)

    init(name: String, terminal: Terminal = .error) {
        self.name = name
        self.terminal = terminal
    }

    /// Shows `progress`; safe to call from any thread.
    func update(_ progress: LoadProgress) {
        if let note = progress.note {
            clear()
            return terminal.write(note + "\n")
        }
        guard terminal.isInteractive else { return }
        let percent = Int(progress.fraction * 100)
        shown.withLock { shown in
            guard shown?.stage != progress.stage || shown?.percent != percent else { return }
            shown = (progress.stage, percent)
            terminal.write("\r\u{1B}[K" + terminal.dim(Self.text(progress, name: name)))
        }
    }

    /// Takes the line away.
    func clear() {
        shown.withLock { shown in
            if shown != nil { terminal.write("\r\u{1B}[K") }
            shown = nil
        }
    }

    static func text(_ progress: LoadProgress, name: String) -> String {
        switch progress.stage {
        case .tokenizer: "Loading \(name): tokenizer"
        case .weights: "Loading \(name): weights \(bar(progress.fraction)) \(Int(progress.fraction * 100)) %"
        case .cache: "Loading \(name): KV cache"
        case .ready: "Loading \(name): ready"
        }
    }

    private static func bar(_ fraction: Double) -> String {
        let width = 24
        let filled = Int(min(max(fraction, 0), 1) * Double(width))
        return String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
    }
}

extension LLM {
    /// Loads a model, with progress on the terminal.
    static func loadShowingProgress(_ configuration: EngineConfiguration) async throws -> LLM {
        let line = LoadingLine(name: configuration.model ?? "the demo model")
        defer { line.clear() }
        return try await LLM(configuration: configuration) { line.update($0) }
    }
}

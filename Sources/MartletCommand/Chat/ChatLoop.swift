import Checkpoints
import Engine
import Sampling
import Synchronization

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The dialogue of `martlet chat`: reads entries, streams answers, until the input ends.
struct ChatLoop {
    private let llm: LLM
    private let sampling: SamplingParameters
    private var conversation: Conversation
    /// Nil is the base model.
    private var adapter: String?
    private let isDemo: Bool
    private let input = LineReader()
    private let output = Terminal.output
    /// Whether a person sits there, who wants prompts and hints.
    private let isInteractive = Terminal.isInputInteractive && Terminal.output.isInteractive
    private let answering = AnswerTask()

    init(llm: LLM, sampling: SamplingParameters, system: String?, adapter: String? = nil, isDemo: Bool = false) {
        self.adapter = adapter
        self.isDemo = isDemo
        self.llm = llm
        self.sampling = sampling
        conversation = Conversation(system: system)
    }

    mutating func run() async {
        let interrupt = isInteractive ? interrupt() : nil
        defer { withExtendedLifetime(interrupt) {} }
        if isInteractive { greet() }
        while let text = nextEntry() {
            let entry = ChatEntry(text)
            if entry == .exit { break }
            await handle(entry)
        }
        if isInteractive { output.write("\n") }
    }

    private func greet() {
        let model = llm.engine.model
        let weights = model.quantization == .none ? model.dtype : model.quantization.rawValue
        let facts =
            "\(Format.parameters(model.parameterCount)) parameters, \(weights), "
            + "\(Format.grouped(model.maxModelLength)) tokens of context"
        output.write(output.bold(model.root) + output.dim(" · \(facts) · /help") + "\n")
    }

    private func interrupt() -> Interrupt {
        let answering = answering
        let output = output
        return Interrupt {
            // The terminal has dropped what was typed on the line.
            if !answering.cancel() { output.write("\n" + output.dim("Ctrl-D or /exit leaves.") + "\n" + Self.prompt) }
        }
    }

    private static let prompt = "> "

    /// The next message or command; nil at the end of the input.
    private func nextEntry() -> String? {
        var message = MessageAssembler()
        while true {
            if isInteractive { output.write(message.isIncomplete ? output.dim(". ") : Self.prompt) }
            guard let line = input.nextText() else { return message.isIncomplete ? message.finish() : nil }
            if let text = message.append(line) { return text }
        }
    }

    private mutating func handle(_ entry: ChatEntry) async {
        switch entry {
        case .message(let text): await answer(text)
        case .help: output.write(ChatEntry.helpText + "\n")
        case .reset:
            conversation.reset()
            note("The conversation starts anew.")
        case .system(let text?):
            conversation.reset(system: text == "-" ? nil : text)
            note("The conversation starts anew with \(text == "-" ? "no" : "this") system message.")
        case .system(nil): output.write((conversation.system ?? "There is no system message.") + "\n")
        case .undo: note(conversation.takeBack() ? "The last question is taken back." : "There is nothing to undo.")
        case .adapter(let name): await changeAdapter(name)
        case .save(let path): save(to: path)
        case .mistake(let text): complain(text)
        case .nothing, .exit: break
        }
    }

    private mutating func changeAdapter(_ name: String?) async {
        guard let name else { return output.write((adapter ?? "There is no adapter.") + "\n") }
        do {
            if name != "-" { try await AdapterChoice(llm: llm, isDemo: isDemo).load(name) }
            adapter = name == "-" ? nil : name
            note(adapter.map { "The adapter \($0) answers from now on." } ?? "The model answers without an adapter.")
        } catch {
            complain("\(error)")
        }
    }

    private mutating func answer(_ question: String) async {
        conversation.ask(question)
        let task = Task { [llm, conversation, sampling, adapter, output] in
            await Self.streamAnswer(to: conversation, llm, sampling, adapter, output)
        }
        answering.start(task)
        let reply = await task.value
        answering.end()
        conversation.answer(reply.text)
        if reply.endsLine { output.write("\n") }
        if let error = reply.error {
            complain("\(error)")
        } else if isInteractive, let speed = reply.speed.summary {
            output.write(output.dim(reply.wasStopped ? speed + " · stopped" : speed) + "\n")
        }
    }

    private struct Reply: Sendable {
        var text = ""
        var speed = Speed()
        var error: String?
        var wasStopped = false
        var endsLine: Bool { !text.isEmpty && !text.hasSuffix("\n") }
    }

    private static func streamAnswer(
        to conversation: Conversation, _ llm: LLM, _ sampling: SamplingParameters, _ adapter: String?,
        _ output: Terminal
    ) async -> Reply {
        var reply = Reply()
        do {
            let events = try llm.events(.chat(conversation.messages), sampling: sampling, adapter: adapter)
            for try await case .delta(let delta) in events {
                reply.speed.add(delta.tokens.count)
                reply.text += delta.text
                output.write(delta.text)
            }
        } catch {
            reply.error = "\(error)"
        }
        reply.wasStopped = Task.isCancelled
        if reply.wasStopped { reply.error = nil }
        return reply
    }

    private func save(to path: String) {
        do {
            try Data(conversation.savedText.utf8).write(to: URL(filePath: path), options: .atomic)
            note("Saved to \(path).")
        } catch {
            complain("'\(path)' cannot be written; check the folder and its permissions.")
        }
    }

    private func note(_ text: String) {
        if isInteractive { output.write(output.dim(text) + "\n") }
    }

    private func complain(_ text: String) { Terminal.error.write(Terminal.error.red(text) + "\n") }
}

/// The answer that is being generated, for the handler of Ctrl-C.
private final class AnswerTask: Sendable {
    private let cancelCurrent = Mutex<(@Sendable () -> Void)?>(nil)

    func start<Value>(_ task: Task<Value, Never>) { cancelCurrent.withLock { $0 = { task.cancel() } } }
    func end() { cancelCurrent.withLock { $0 = nil } }

    /// Cancels the answer; false if there is none.
    func cancel() -> Bool {
        cancelCurrent.withLock { cancel in
            cancel?()
            return cancel != nil
        }
    }
}

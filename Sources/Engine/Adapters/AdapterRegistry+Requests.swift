import Adapters
internal import KVCache
import Models
import Synchronization

/// What requests get for the names that they ask for.
extension AdapterRegistry {
    private typealias Chosen = (version: AdapterVersion, selection: AdapterSelection)

    /// The content that the names stand for now, and from where on. Nil is the base model.
    ///
    /// - Parameter requiresInvocation: refuses a prompt in which an adapter stays switched off.
    func resolve(
        _ selections: [AdapterSelection], _ lease: AdapterLease?, prompt: [Int32], requiresInvocation: Bool = false
    ) throws(EngineError) -> RequestAdapters? {
        guard !selections.isEmpty else { return nil }
        let chosen = try find(selections, lease)
        let weights = chosen.filter { $0.version.packed.virtualTokens == nil }
        let virtual = try virtualPrompt(chosen.filter { $0.version.packed.virtualTokens != nil }, among: chosen)
        guard weights.count <= 1 || weights.allSatisfy({ $0.version.activation == .always }) else {
            throw .invalidRequest(
                parameter: "adapters",
                message: "adapters: one that switches on at an invocation cannot be combined with others.")
        }
        if weights.count > 1 || weights.contains(where: { $0.selection.scale != 1 }) {
            try checkCombination(weights)
        }
        if requiresInvocation { try checkInvocations(of: weights.map(\.version), in: prompt) }
        let start = weights.first.map { $0.version.start(in: prompt) } ?? 0
        let isActive = start != nil && !weights.isEmpty
        guard isActive || virtual != nil else { return nil }
        let terms = isActive ? weights.map { AdapterTerm($0.version.packed, scale: Float($0.selection.scale)) } : []
        let isEverywhere = weights.first?.version.activation == .always
        return RequestAdapters(
            versions: chosen.map(\.version), terms: terms,
            start: isEverywhere ? 0 : (start ?? 0) + (virtual?.count ?? 0),
            state: terms.isEmpty ? 0 : states.number(of: terms.map(AdapterMember.init)), prompt: virtual,
            use: start.map { .from($0) } ?? .notInvoked)
    }

    private func find(_ selections: [AdapterSelection], _ lease: AdapterLease?) throws(EngineError) -> [Chosen] {
        var chosen: [Chosen] = []
        for selection in selections {
            let leased = lease?.versions.first { $0.information.name == selection.name }
            guard let version = leased ?? shelf.withLock({ $0.use(selection.name) }) else {
                throw .unknownAdapter(selection.name)
            }
            guard selection.scale.isFinite, abs(selection.scale) <= 1e6 else {
                throw .invalidRequest(parameter: "adapters", message: "adapters: a scale must be a finite number.")
            }
            try checkTask(selection, version.packed.virtualTokens)
            chosen.append((version, selection))
        }
        return chosen
    }

    private func checkTask(_ selection: AdapterSelection, _ virtual: VirtualTokens?) throws(EngineError) {
        let count = virtual?.taskCount ?? 1
        if let task = selection.task {
            guard (0..<count).contains(task) else {
                let advice = count == 1 ? "it has no tasks to choose from" : "it has the tasks 0 to \(count - 1)"
                throw .invalidRequest(
                    parameter: "adapters", message: "adapters: '\(selection.name)' has no task \(task): \(advice).")
            }
        } else if count > 1 {
            throw .invalidRequest(
                parameter: "adapters",
                message: "adapters: '\(selection.name)' was trained for \(count) tasks; name one by 'task_id', 0 to "
                    + "\(count - 1).")
        }
    }

    /// What the one adapter that has virtual tokens puts before the prompt.
    private func virtualPrompt(_ prompts: [Chosen], among chosen: [Chosen]) throws(EngineError) -> VirtualPrompt? {
        guard let (version, selection) = prompts.first, let virtual = version.packed.virtualTokens else { return nil }
        if prompts.count > 1 {
            throw .invalidRequest(
                parameter: "adapters",
                message:
                    "adapters: '\(selection.name)' and '\(prompts[1].selection.name)' both put something before the "
                    + "prompt; one of them at most is possible.")
        }
        guard selection.scale == 1 else {
            throw .invalidRequest(
                parameter: "adapters",
                message: "adapters: '\(selection.name)' puts something before the prompt, so it has no scale.")
        }
        switch virtual {
        case .prefix(let count):
            guard let prefix = version.prefix else { return nil }
            return VirtualPrompt(count: count, content: .prefix(prefix))
        case .embeddings(let tasks):
            // What was computed with the base model's weights is right for these alone.
            if let prefix = version.prefix, chosen.count == 1 {
                return VirtualPrompt(count: virtual.count, content: .prefix(prefix))
            }
            let task = selection.task ?? 0
            let content = embeddings.number(of: EmbeddingContent(digest: version.packed.digest.bytes, task: task))
            return VirtualPrompt(
                count: virtual.count,
                content: .embeddings(
                    EmbeddedInput(positions: 0..<virtual.count, embeddings: tasks[task], content: content)))
        }
    }

    /// Refuses weights and combinations that have no defined meaning.
    private func checkCombination(_ chosen: [Chosen]) throws(EngineError) {
        for (index, (version, selection)) in chosen.enumerated() {
            let footprint = version.packed.footprint
            guard selection.scale == 1 || footprint.isSum else {
                throw .invalidRequest(
                    parameter: "adapters",
                    message: "adapters: '\(selection.name)' replaces weights or their magnitudes, so it has no scale.")
            }
            for (other, earlier) in chosen[..<index] {
                guard let module = footprint.conflict(with: other.packed.footprint) else { continue }
                throw .invalidRequest(
                    parameter: "adapters",
                    message: "adapters: '\(earlier.name)' and '\(selection.name)' both change \(module), and at least "
                        + "one by more than an addition; what both together are is not defined.")
            }
        }
    }
}

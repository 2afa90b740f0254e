import CKernels
import Compute

/// What adapters do to single rows: embeddings, and the logits of tokens that have been trained.
extension DecoderStep {
    func embed(_ row: Int, _ terms: [AdapterBatch.Term], to out: UnsafeMutablePointer<Float>) {
        let token = batch.tokens[row]
        // At most one adapter has rows of its own.
        let isRead = terms.contains { $0.adapter.embedding?.read(token, to: out) ?? false }
        if !isRead { model.readEmbedding(token, to: out) }
        guard let vector = scratch.vectors?[row] else { return }
        for term in terms {
            term.adapter.embedding?.delta?.apply(kernels, token, weight: term.scale, vector: vector, to: out)
        }
    }

    /// Logits of the tokens whose rows of the head an adapter replaces.
    func replaceHeadRows(_ adapters: AdapterBatch, _ phase: Int, _ worker: Worker) {
        guard let products = scratch.products(of: worker.index)?.values else { return }
        phases.run(phase, pieces: adapters.logitChunks.count) { piece in
            let chunk = adapters.logitChunks[piece]
            for term in chunk.terms {
                guard let replaced = term.adapter.headRows else { continue }
                for row in chunk.start..<chunk.start + chunk.count {
                    replaced.run(
                        kernels, scratch.headInput[row], logits: logits + row * logitStride, scratch: products)
                }
            }
        }
    }
}

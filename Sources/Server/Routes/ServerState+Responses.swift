import Engine
import OpenAIProtocol

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension ServerState {
    /// A request's options with the server's own wishes on top.
    func options(_ options: ResponseOptions) -> ResponseOptions {
        var options = options
        if configuration.returnsTokensAsTokenIDs { options.tokensAsIDs = true }
        return options
    }

    /// What all objects of a response carry; its identifier follows the request's, as in vLLM.
    /// A response carries the model's first name, or the adapter's where `model` names one.
    func head(
        _ kind: String, _ options: ResponseOptions, _ adapters: AdapterFields, _ context: ServerContext
    ) -> ResponseHead {
        ResponseHead(
            id: "\(kind)-\(options.requestID ?? context.requestID)", created: Int(Date().timeIntervalSince1970),
            model: adapters.modelName ?? engine.model.servedNames.first ?? engine.model.root)
    }
}

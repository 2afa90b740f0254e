/// Where a server listens, what it accepts and how long it waits; flags of the same names set these.
public struct ServerConfiguration: Sendable {
    public var host = "0.0.0.0"
    /// 0 takes a free port.
    public var port = 8000
    /// When not empty, every route but `/health` needs one of these.
    public var apiKeys: [String] = []
    /// Keys that may also load and unload adapters and reset the prefix cache; with `apiKeys` and without these nobody may.
    public var adminKeys: [String] = []
    /// A folder in which every folder is an adapter of its name, loaded when it is first asked for.
    public var adapterLibrary: String?
    /// Folders in which adapters must lie that requests load by path.
    public var adapterRoots: [String] = []
    /// Whether prompts that do not invoke an Activated LoRA are refused, unless a request says otherwise.
    public var requiresInvocation = false
    /// Origins whose pages may use the server; `*` is any.
    public var allowedOrigins = ["*"]

    /// Largest request body in bytes.
    public var maxBodyBytes = 32 << 20
    /// Largest header field, and eight times that for all of them together, in bytes.
    public var maxHeaderBytes = 16 << 10
    /// Most prompts in one completions request.
    public var maxPrompts = 1024
    /// Most sequences that one request may start: prompts × `n`.
    public var maxSequencesPerRequest = 2048

    /// Longest time that a request may take from its arrival; nil is no limit.
    public var requestTimeout: Duration?
    /// After this time without a request, or without progress in one that is being read, a connection is closed.
    public var idleTimeout: Duration = .seconds(60)
    /// Time that running requests get when the server is told to stop.
    public var shutdownTimeout: Duration = .seconds(30)

    /// Whether a completions request may bring input embeddings instead of a prompt.
    public var acceptsPromptEmbeddings = false
    /// Whether a request may bring a chat template of its own.
    public var trustsRequestChatTemplates = false
    /// Writes tokens in logprobs as `token_id:N` for every request.
    public var returnsTokensAsTokenIDs = false
    /// Logs a line for each request; never prompts or outputs.
    public var logsRequests = true

    public init() {}
}

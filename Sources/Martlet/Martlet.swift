@_exported public import ChatTemplates
// The library that users import: the engine with everything its public names need.
@_exported public import Checkpoints
@_exported public import Engine
@_exported public import Sampling
@_exported public import Tokenizers

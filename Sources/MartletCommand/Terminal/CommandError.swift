/// Why a command, or one line of its input, failed: what was found and what to do about it.
///
/// Usage that could have been seen on the command line is ArgumentParser's `ValidationError` instead.
struct CommandError: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

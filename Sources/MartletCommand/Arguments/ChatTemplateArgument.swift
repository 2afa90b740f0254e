import ArgumentParser
import Checkpoints

/// The value of `--chat-template`: a file, or the template itself where no file has that name.
enum ChatTemplateArgument {
    /// The template's text. As in vLLM, a value with one of `{`, `}` or a line break can be the template itself.
    static func text(_ argument: String) throws -> String {
        let file: MappedFile
        do { file = try MappedFile(path: argument) } catch {
            guard argument.contains(where: { "{}\n".contains($0) }) else {
                throw ValidationError(
                    "--chat-template: '\(argument)' is neither a file that can be read nor a template (a template "
                        + "contains '{'). Check the path.")
            }
            return argument
        }
        guard let text = String(validating: file.bytes.bindMemory(to: UInt8.self), as: UTF8.self) else {
            throw ValidationError("--chat-template: the file '\(argument)' is not UTF-8 text.")
        }
        return text
    }
}

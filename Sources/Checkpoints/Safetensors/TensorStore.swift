#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The tensors of a checkpoint, in one file or many, found by name.
///
/// Opening maps the files and checks every header; the data is read when a tensor is used.
package final class TensorStore: Sendable {
    /// The folder or file that was opened, as given.
    package let path: String
    /// The files, in sorted order.
    package let files: [SafetensorsFile]
    /// Tensor name → position in `files`.
    private let places: [String: Int]

    /// Opens the weights in `folder`: `NAME.safetensors`, else the shards that `NAME.safetensors.index.json` lists.
    ///
    /// A folder with pickle files only is refused: to unpickle is to run code from the file.
    package convenience init(folder: String, name: String = "model") throws(CheckpointError) {
        let single = folder + "/\(name).safetensors"
        let index = single + ".index.json"
        if FileManager.default.fileExists(atPath: single) {
            try self.init(path: folder, files: [try SafetensorsFile(path: single)], listed: [])
        } else if FileManager.default.fileExists(atPath: index) {
            let shards = try MappedFile(path: index).withBytes { (bytes) throws(CheckpointError) in
                try ShardIndex(bytes, path: index)
            }
            try self.init(
                path: folder, files: try Self.open(shards, in: folder, index: index), listed: shards.shards,
                index: index)
        } else {
            throw Self.noWeights(in: folder, name: name)
        }
    }

    /// Opens one safetensors file.
    package convenience init(file: String) throws(CheckpointError) {
        try self.init(path: file, files: [try SafetensorsFile(path: file)], listed: [])
    }

    private init(
        path: String, files: [SafetensorsFile], listed: [(tensor: String, file: String)], index: String = ""
    ) throws(CheckpointError) {
        var places: [String: Int] = [:]
        for (position, file) in files.enumerated() {
            for name in file.names {
                if let first = places.updateValue(position, forKey: name) {
                    throw CheckpointError.tensor(
                        name, in: file.path, .malformed, "is in another file too: \(files[first].path)")
                }
            }
        }
        for (tensor, file) in listed {
            guard let place = places[tensor], files[place].path == path + "/" + file else {
                throw CheckpointError.tensor(
                    tensor, in: index, .mismatch,
                    "the index places it in \(file), which does not hold it"
                        + (places[tensor].map { "; \(files[$0].path) does" } ?? ""),
                    advice: "the index and the files do not belong together: download the folder again")
            }
        }
        self.path = path
        self.files = files
        self.places = places
    }

    private static func open(
        _ shards: ShardIndex, in folder: String, index: String
    ) throws(CheckpointError) -> [SafetensorsFile] {
        let missing = shards.files.filter { !FileManager.default.fileExists(atPath: folder + "/" + $0) }
        guard missing.isEmpty else {
            let shown = missing.prefix(5).joined(separator: ", ") + (missing.count > 5 ? ", …" : "")
            throw CheckpointError(
                .missing, file: index,
                "\(missing.count) of \(shards.files.count) files that it lists are missing: \(shown)",
                advice: "the download was not completed: download the folder again")
        }
        var files: [SafetensorsFile] = []
        for file in shards.files { files.append(try SafetensorsFile(path: folder + "/" + file)) }
        return files
    }

    /// Names of all tensors, file by file in the order of their data.
    package var names: [String] { files.flatMap(\.names) }
    package func contains(_ name: String) -> Bool { places[name] != nil }

    /// Size of all tensors' data in bytes.
    package var byteCount: Int {
        files.reduce(0) { total, file in total + file.names.reduce(0) { $0 + (file.entry($1)?.range.count ?? 0) } }
    }

    /// The tensor `name`. O(1); throws if there is none.
    package func tensor(_ name: String) throws(CheckpointError) -> TensorView {
        guard let place = places[name], let view = files[place].tensor(name) else {
            throw CheckpointError.tensor(
                name, in: path, .missing,
                "is not there; the checkpoint has \(places.count) tensors"
                    + (closest(to: name).map { ", the closest is \(CheckpointError.quoted($0))" } ?? ""))
        }
        return view
    }

    /// The tensor `name`, which must have exactly `shape` and one of `dtypes`.
    package func tensor(
        _ name: String, shape: [Int], dtypes: Set<TensorDType> = [.float32, .float16, .bfloat16]
    ) throws(CheckpointError) -> TensorView {
        let view = try tensor(name)
        let file = places[name].map { files[$0].path } ?? path
        guard view.shape == shape else {
            throw CheckpointError.tensor(
                name, in: file, .mismatch, "expected shape \(shape), found \(view.shape)",
                advice: "config.json and the weights do not belong together")
        }
        guard dtypes.contains(view.dtype) else {
            let expected = dtypes.map(\.rawValue).sorted().joined(separator: ", ")
            throw CheckpointError.tensor(
                name, in: file, .unsupported, "expected dtype \(expected), found \(view.dtype.rawValue)")
        }
        return view
    }

    /// Gives back the memory behind the tensor `name` once it was packed: see `SafetensorsFile.release`.
    package func release(_ name: String) {
        if let place = places[name] { files[place].release(name) }
    }

    /// The tensor whose name shares the longest ending with `name`: with another prefix, as wrapped models have it.
    private func closest(to name: String) -> String? {
        func shared(_ other: String) -> Int {
            zip(name.utf8.reversed(), other.utf8.reversed()).prefix { $0 == $1 }.count
        }
        let best = places.keys.lazy.map { (name: $0, shared: shared($0)) }
            .max { ($0.shared, $1.name) < ($1.shared, $0.name) }
        return best.flatMap { $0.shared * 2 > name.utf8.count ? $0.name : nil }
    }

    private static func noWeights(in folder: String, name: String) -> CheckpointError {
        let entries: [String]
        do { entries = try FileManager.default.contentsOfDirectory(atPath: folder).sorted() } catch {
            return CheckpointError(.missing, file: folder, "is not a folder that can be read")
        }
        let pickles = entries.filter { entry in
            [".bin", ".pt", ".pth", ".ckpt", ".pkl"].contains { entry.hasSuffix($0) }
        }
        if let pickle = pickles.first {
            return CheckpointError(
                .unsupported, file: folder,
                "has weights in Python's pickle format only (\(CheckpointError.quoted(pickle))), "
                    + "which can run any code when it is read",
                advice:
                    "convert them where you trust them: python -c \"from transformers import AutoModelForCausalLM as M; "
                    + "M.from_pretrained('FOLDER').save_pretrained('NEW_FOLDER')\"")
        }
        if let other = entries.first(where: { $0.hasSuffix(".gguf") }) {
            return CheckpointError(
                .unsupported, file: folder, "has weights in GGUF format only (\(CheckpointError.quoted(other)))",
                advice: "use the model's safetensors folder")
        }
        let others = entries.filter { $0.hasSuffix(".safetensors") }.prefix(3).map(CheckpointError.quoted)
        return CheckpointError(
            .missing, file: folder,
            "has neither \(name).safetensors nor \(name).safetensors.index.json"
                + (others.isEmpty ? "" : ", only " + others.joined(separator: ", ")))
    }
}

import CKernels
import Checkpoints

@testable import Adapters

/// A matrix in double precision; a vector is a column.
struct Matrix {
    var rows: Int
    var columns: Int
    var values: [Double]

    init(rows: Int, columns: Int, values: [Double]) {
        self.rows = rows
        self.columns = columns
        self.values = values
    }

    init(_ tensor: TensorView) {
        rows = tensor.shape.first ?? 1
        columns = tensor.shape.dropFirst().reduce(1, *)
        var floats = [Float](repeating: 0, count: tensor.count)
        tensor.withBytes { bytes in
            if let base = bytes.baseAddress { mk_convert(&floats, mk_float32, base, tensor.storage, tensor.count) }
        }
        values = floats.map(Double.init)
    }

    /// All tensors of a file.
    static func all(_ path: String) throws -> [String: Matrix] {
        let store = try TensorStore(file: path)
        var result: [String: Matrix] = [:]
        for name in store.names { result[name] = Matrix(try store.tensor(name)) }
        return result
    }

    subscript(row: Int, column: Int) -> Double {
        get { values[row * columns + column] }
        set { values[row * columns + column] = newValue }
    }

    func times(_ other: Matrix) -> Matrix {
        var result = Matrix(
            rows: rows, columns: other.columns, values: .init(repeating: 0, count: rows * other.columns))
        for i in 0..<rows {
            for j in 0..<other.columns { result[i, j] = (0..<columns).reduce(0) { $0 + self[i, $1] * other[$1, j] } }
        }
        return result
    }

    var transposed: Matrix {
        var result = Matrix(rows: columns, columns: rows, values: values)
        for i in 0..<rows {
            for j in 0..<columns { result[j, i] = self[i, j] }
        }
        return result
    }

    mutating func add(_ other: Matrix, times factor: Double) {
        for place in values.indices { values[place] += factor * other.values[place] }
    }

    mutating func scaleRows(_ factors: [Double]) {
        for place in values.indices { values[place] *= factors[place / columns] }
    }

    /// Greatest difference, relative to the greatest magnitude of `other`.
    func difference(_ other: Matrix) -> Double {
        guard values.count == other.values.count, rows == other.rows else { return .infinity }
        let scale = other.values.reduce(0) { max($0, abs($1)) }
        return zip(values, other.values).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale
    }
}

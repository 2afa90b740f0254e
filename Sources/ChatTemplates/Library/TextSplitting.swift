extension Text {
    /// Byte positions of the non-overlapping occurrences of `needle`, found from the start.
    func occurrences(of needle: Text) -> [Int] {
        var positions: [Int] = []
        var start = 0
        while let found = firstByte(of: needle, from: start) {
            positions.append(found)
            start = found + needle.bytes.count
        }
        return positions
    }

    /// Byte positions of the non-overlapping occurrences of `needle`, found from the end, last first.
    func occurrencesFromEnd(of needle: Text) -> [Int] {
        let reversed = Text(ascii: bytes.reversed())
        let mirrored = Text(ascii: needle.bytes.reversed())
        return reversed.occurrences(of: mirrored).map { bytes.count - $0 - needle.bytes.count }
    }

    /// The parts of the text around the separators at `matches`.
    func pieces(between matches: [Int], _ separator: Text) -> [Text] {
        var parts: [Text] = []
        var start = 0
        for match in matches.sorted() {
            parts.append(slice(bytes: start..<match))
            start = match + separator.bytes.count
        }
        parts.append(slice(bytes: start..<bytes.count))
        return parts
    }

    /// The words between white space; after `most` splits the rest stays whole.
    func words(most: Int) -> [Text] {
        var parts: [Text] = []
        var offset = Whitespace.end(from: 0, in: bytes)
        while offset < bytes.count {
            if parts.count == most {
                parts.append(slice(bytes: offset..<bytes.count))
                break
            }
            var end = offset
            while end < bytes.count, Whitespace.length(at: end, in: bytes) == 0 { end += 1 }
            parts.append(slice(bytes: offset..<end))
            offset = Whitespace.end(from: end, in: bytes)
        }
        return parts
    }

    /// The words between white space, split from the end; after `most` splits the beginning stays whole.
    func lastWords(most: Int) -> [Text] {
        var parts: [Text] = []
        var end = Whitespace.start(before: bytes.count, in: bytes)
        while end > 0 {
            if parts.count == most {
                parts.append(slice(bytes: 0..<end))
                break
            }
            var start = end
            while start > 0, Whitespace.start(before: start, in: bytes) == start {
                start = previousScalar(before: start)
            }
            parts.append(slice(bytes: start..<end))
            end = Whitespace.start(before: start, in: bytes)
        }
        return parts.reversed()
    }

    private func previousScalar(before offset: Int) -> Int {
        var position = offset - 1
        while position > 0, bytes[position] & 0xC0 == 0x80 { position -= 1 }
        return position
    }

    func expandingTabs(_ size: Int, _ interpreter: Interpreter) throws(TemplateError) -> Text {
        var result: [UInt8] = []
        var column = 0
        for byte in bytes {
            switch byte {
            case 0x09:
                let width = size > 0 ? size - column % size : 0
                try interpreter.checkSize(try interpreter.small(result.count.addingReportingOverflow(width)))
                result.append(contentsOf: repeatElement(0x20, count: width))
                column += width
            case 0x0A, 0x0D:
                result.append(byte)
                column = 0
            default:
                result.append(byte)
                if byte & 0xC0 != 0x80 { column += 1 }
            }
        }
        return Text(utf8: result)
    }
}

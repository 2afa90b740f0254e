/// Letter case and character classes as Python's `str` has them.
extension Text {
    var lowercased: Text {
        if isASCII { return Text(ascii: bytes.map { $0 &- 0x41 < 26 ? $0 + 32 : $0 }) }
        let scalars = Array(self.scalars)
        var result: [Unicode.Scalar] = []
        for position in scalars.indices {
            if scalars[position] == "\u{3A3}", Text.isFinalSigma(scalars, position) {
                result.append("\u{3C2}")
            } else {
                result.append(contentsOf: scalars[position].properties.lowercaseMapping.unicodeScalars)
            }
        }
        return Text(scalars: result)
    }

    /// Whether the capital sigma at `position` ends a word.
    private static func isFinalSigma(_ scalars: [Unicode.Scalar], _ position: Int) -> Bool {
        let before = scalars[..<position].last { !$0.properties.isCaseIgnorable }
        let after = scalars[(position + 1)...].first { !$0.properties.isCaseIgnorable }
        return before?.properties.isCased == true && after?.properties.isCased != true
    }

    var uppercased: Text {
        if isASCII { return Text(ascii: bytes.map { $0 &- 0x61 < 26 ? $0 - 32 : $0 }) }
        return Text(scalars: scalars.flatMap { Array($0.properties.uppercaseMapping.unicodeScalars) })
    }

    var caseFolded: Text {
        if isASCII { return lowercased }
        return Text(
            scalars: scalars.flatMap { scalar in
                scalar.properties.uppercaseMapping.unicodeScalars.flatMap {
                    Array($0.properties.lowercaseMapping.unicodeScalars)
                }
            })
    }

    var capitalized: Text {
        guard let first = scalars.first else { return self }
        let rest = slice(bytes: UTF8.width(first)..<bytes.count)
        return Text(scalars: first.properties.titlecaseMapping.unicodeScalars) + rest.lowercased
    }

    var swappedCase: Text {
        Text(
            scalars: scalars.flatMap { scalar in
                let properties = scalar.properties
                if properties.isUppercase { return Array(properties.lowercaseMapping.unicodeScalars) }
                if properties.isLowercase { return Array(properties.uppercaseMapping.unicodeScalars) }
                return [scalar]
            })
    }

    /// `str.title`: the first letter of every run of cased letters is capital.
    var titled: Text {
        var result: [Unicode.Scalar] = []
        var isInside = false
        for scalar in scalars {
            let properties = scalar.properties
            let mapping = isInside ? properties.lowercaseMapping : properties.titlecaseMapping
            result.append(contentsOf: mapping.unicodeScalars)
            isInside = properties.isCased
        }
        return Text(scalars: result)
    }

    var isLower: Bool { isCased { $0.isLowercase } }
    var isUpper: Bool { isCased { $0.isUppercase } }

    /// Whether there are cased letters and all of them satisfy `condition`.
    private func isCased(_ condition: (Unicode.Scalar.Properties) -> Bool) -> Bool {
        var found = false
        for scalar in scalars {
            let properties = scalar.properties
            if condition(properties) {
                found = true
            } else if properties.isLowercase || properties.isUppercase || properties.generalCategory == .titlecaseLetter
            {
                return false
            }
        }
        return found
    }

    var isTitle: Bool {
        var found = false
        var isInside = false
        for scalar in scalars {
            let properties = scalar.properties
            if properties.isUppercase || properties.generalCategory == .titlecaseLetter {
                if isInside { return false }
                isInside = true
                found = true
            } else if properties.isLowercase {
                if !isInside { return false }
                found = true
            } else {
                isInside = false
            }
        }
        return found
    }

    /// Python's `str.is…` for classes that every character must belong to; nil for other names.
    func isAll(_ name: String) -> Bool? {
        switch name {
        case "isascii": return isASCII
        case "isprintable": return scalars.allSatisfy { $0.isPythonPrintable }
        case "isspace": return !isEmpty && scalars.allSatisfy { Whitespace.contains($0) }
        case "isalpha": return !isEmpty && scalars.allSatisfy { $0.isPythonAlpha }
        case "isdecimal": return !isEmpty && scalars.allSatisfy { $0.properties.numericType == .decimal }
        case "isdigit": return !isEmpty && scalars.allSatisfy { $0.isPythonDigit }
        case "isnumeric": return !isEmpty && scalars.allSatisfy { $0.properties.numericType != nil }
        case "isalnum":
            return !isEmpty && scalars.allSatisfy { $0.isPythonAlpha || $0.properties.numericType != nil }
        case "isidentifier":
            guard let first = scalars.first, first == "_" || first.properties.isXIDStart else { return false }
            return scalars.dropFirst().allSatisfy { $0.properties.isXIDContinue }
        default: return nil
        }
    }
}

extension Unicode.Scalar {
    var isPythonAlpha: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    var isPythonDigit: Bool { properties.numericType == .decimal || properties.numericType == .digit }

    /// The value of a decimal digit of any script.
    var decimalDigit: Int? { properties.numericType == .decimal ? properties.numericValue.map { Int($0) } : nil }
}

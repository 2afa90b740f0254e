// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "examples",
    platforms: [.macOS(.v26)],
    dependencies: [.package(name: "martlet", path: "..")],
    targets: ["FirstAnswer", "ManyPrompts"].map { name in
        .executableTarget(
            name: name, dependencies: [.product(name: "Martlet", package: "martlet")],
            swiftSettings: [.treatAllWarnings(as: .error)])
    }
)

// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A room of the house: `Sources/<name>`; arrows point only at rooms listed before it.
func room(_ name: String, uses dependencies: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

/// The tests of a room; `fixtures` says that its folder holds files for them.
func tests(_ name: String, uses dependencies: [Target.Dependency] = [], fixtures: Bool = false) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.init(stringLiteral: name)] + dependencies,
        exclude: fixtures ? ["Fixtures"] : [], swiftSettings: settings)
}

let package = Package(
    name: "martlet",
    platforms: [.macOS(.v26)],
    products: [
        .library(name: "Martlet", targets: ["Martlet"]),
        .executable(name: "martlet", targets: ["MartletCommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3"], .when(configuration: .debug))]),
        room("Compute", uses: ["CKernels"]),
        room("Checkpoints", uses: ["CKernels"]),
        room("Adapters", uses: ["Compute", "Checkpoints", "CKernels"]),
        room("Tokenizers", uses: ["Checkpoints"]),
        room("ChatTemplates", uses: ["Checkpoints"]),
        room(
            "DemoModel", uses: ["Checkpoints"],
            resources: [
                .copy("base"), .copy("adapters"), .copy("examples.jsonl"), .copy("demo-prompts.json"),
                .copy("metrics.json"),
            ]),
        room("KVCache"),
        room("Sampling", uses: ["CKernels"]),
        room(
            "Scheduling",
            uses: [
                "KVCache", .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
            ]),
        room("Models", uses: ["Adapters", "Compute", "Checkpoints"]),
        room(
            "Engine",
            uses: [
                "Models", "Adapters", "Compute", "Scheduling", "KVCache", "Sampling", "Tokenizers", "ChatTemplates",
                "Checkpoints", "DemoModel",
            ]),
        room("SyntheticModels", uses: ["Checkpoints", "DemoModel"]),
        room("Martlet", uses: ["Engine", "Sampling", "Tokenizers", "ChatTemplates", "Checkpoints"]),
        room("OpenAIProtocol", uses: ["Engine", "Sampling", "Checkpoints"]),
        room(
            "Server",
            uses: [
                "OpenAIProtocol", "Engine", "Sampling", "Tokenizers", "Checkpoints",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]),
        .executableTarget(
            name: "MartletCommand",
            dependencies: [
                "Server", "Engine", "Models", "Adapters", "Compute", "Sampling", "Tokenizers", "ChatTemplates",
                "Checkpoints", "DemoModel", "SyntheticModels",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ], swiftSettings: settings),

        .executableTarget(
            name: "KernelBenchmark", dependencies: ["CKernels"], path: "Benchmarks/kernels",
            linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),
        .executableTarget(
            name: "ServingBenchmark",
            dependencies: [
                "Engine", "Scheduling", "KVCache", "Sampling", "SyntheticModels", "DemoModel", "Checkpoints",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Benchmarks/serving", exclude: ["README.md", "plot.py"], swiftSettings: settings),

        tests("Adapters", uses: ["Models", "Checkpoints", "CKernels"], fixtures: true),
        tests("CKernels"),
        tests("Checkpoints", fixtures: true),
        tests("ChatTemplates", uses: ["Checkpoints"], fixtures: true),
        tests("Compute", uses: ["CKernels"]),
        tests("DemoModel", uses: ["Checkpoints"]),
        tests("Engine", uses: ["KVCache", "Sampling", "Tokenizers", "Checkpoints", "DemoModel"]),
        tests("KVCache"),
        tests(
            "MartletCommand",
            uses: [
                "SyntheticModels", "Models", "Compute", "Adapters", "Engine", "Sampling", "Checkpoints", "DemoModel",
                "Server",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        tests("Models", uses: ["Adapters", "Compute", "CKernels", "Checkpoints", "DemoModel"], fixtures: true),
        tests("OpenAIProtocol", uses: ["Engine", "Sampling", "Checkpoints"]),
        tests("Sampling", uses: ["Checkpoints"], fixtures: true),
        tests("Scheduling", uses: ["KVCache"]),
        tests(
            "Server",
            uses: [
                "OpenAIProtocol", "Engine", "Sampling", "Checkpoints",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        tests("SyntheticModels", uses: ["Adapters", "Models", "Checkpoints"]),
        tests("Tokenizers", uses: ["Checkpoints"], fixtures: true),
    ]
)

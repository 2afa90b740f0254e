import ArgumentParser
@main
struct RootCommand: AsyncParsableCommand {}

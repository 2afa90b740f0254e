import ArgumentParser
import Engine

/// Options that say who is served first.
struct PolicyOptions: ParsableArguments {
    @Option(
        name: .customLong("scheduling-policy"),
        help: "Who is served first: fcfs (first come), priority (smallest), fair (tenants alike).")
    var policy: SchedulingPolicyArgument = .fcfs

    @Option(
        name: .customLong("priority-ageing"),
        help: ArgumentHelp(
            "Waiting time that outweighs one level of priority, under the policy priority.", valueName: "seconds"))
    var secondsPerPriority = EngineConfiguration().secondsPerPriority

    @Option(
        name: .customLong("tenant-weight"),
        help: ArgumentHelp(
            "Share of a tenant under the policy fair, 1 unless given; tenants are key-1, key-2, … in the order of --api-key, without keys the adapters.",
            valueName: "name=weight"))
    var tenantWeights: [TenantWeight] = []

    @Option(
        help: ArgumentHelp(
            "Share of the cache that stays free for running requests when another joins them.", valueName: "share"))
    var watermark = EngineConfiguration().watermark

    func apply(to configuration: inout EngineConfiguration) {
        configuration.schedulingPolicy = policy.policy
        configuration.secondsPerPriority = secondsPerPriority
        configuration.watermark = watermark
        for tenant in tenantWeights { configuration.tenantWeights[tenant.name] = tenant.weight }
    }
}

/// `name=weight`.
struct TenantWeight: ExpressibleByArgument {
    let name: String
    let weight: Double

    init?(argument: String) {
        guard let equals = argument.lastIndex(of: "="), let weight = Double(argument[argument.index(after: equals)...]),
            weight.isFinite, weight > 0
        else { return nil }
        name = String(argument[..<equals])
        self.weight = weight
    }
}

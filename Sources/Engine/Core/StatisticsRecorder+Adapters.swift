extension StatisticsRecorder {
    func adaptersArrived(_ request: RunningRequest) {
        update(request) {
            $0.requests += 1
            $0.requestsWaiting += 1
        }
    }

    func adaptersStarted(_ request: RunningRequest) {
        update(request) {
            $0.requestsWaiting -= 1
            $0.requestsRunning += 1
        }
    }

    /// The request has ended, by itself or not.
    func adaptersLeft(_ request: RunningRequest) {
        let wasStarted = request.timeline.scheduled != nil
        update(request) {
            if wasStarted { $0.requestsRunning -= 1 } else { $0.requestsWaiting -= 1 }
            if request.hasStarted { $0.promptTokens += request.promptCount }
            $0.generationTokens += request.generated.reduce(0, +)
        }
    }

    func adapterLoaded(_ name: String, seconds: Double) {
        record { statistics in
            statistics.adapters.update(name) {
                $0.loads += 1
                $0.lastLoadSeconds = seconds
            }
            statistics.adapters.observe(\.loadTime, seconds, of: [name])
        }
    }

    /// An adapter was given up to make room.
    func adapterEvicted(_ name: String) {
        record { statistics in statistics.adapters.update(name) { $0.evictions += 1 } }
    }

    private func update(_ request: RunningRequest, _ change: (inout AdapterStatistics) -> Void) {
        guard !request.adapterNames.isEmpty else { return }
        record { statistics in
            for name in request.adapterNames { statistics.adapters.update(name, change) }
        }
    }
}

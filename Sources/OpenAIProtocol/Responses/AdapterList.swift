import Engine

/// What clients see of one adapter.
package struct AdapterCard: Sendable {
    package let name: String
    package let path: String
    /// Nil for an adapter that was never loaded: only its folder is known.
    package let information: AdapterInformation?
    package let statistics: AdapterStatistics

    package init(_ information: AdapterInformation, _ statistics: AdapterStatistics?) {
        name = information.name
        path = information.path
        self.information = information
        self.statistics = statistics ?? AdapterStatistics()
    }

    package init(name: String, path: String) {
        self.name = name
        self.path = path
        information = nil
        statistics = AdapterStatistics()
    }

    /// An object whose members are the same for every adapter; what is not known is null.
    package func append(to json: inout JSONBuffer) {
        json.raw(#"{"id":"#)
        json.string(name)
        json.raw(#","object":"adapter","path":"#)
        json.string(path)
        if let information { append(information, to: &json) } else { appendUnknown(to: &json) }
        json.raw(#","uses":{"requests":"#)
        json.integer(statistics.requests)
        json.raw(#","running":"#)
        json.integer(statistics.requestsRunning)
        json.raw(#","waiting":"#)
        json.integer(statistics.requestsWaiting)
        json.raw(#"},"loads":"#)
        json.integer(statistics.loads)
        json.raw(#","evictions":"#)
        json.integer(statistics.evictions)
        json.raw("}")
    }

    private func append(_ adapter: AdapterInformation, to json: inout JSONBuffer) {
        json.raw(#","kind":"#)
        json.string(adapter.kind)
        json.raw(#","rank":"#)
        json.optional(adapter.ranks.max())
        json.raw(#","ranks":"#)
        json.list(adapter.ranks) { $0.integer($1) }
        json.raw(#","activated":"#)
        json.bool(adapter.isActivated)
        json.raw(#","virtual_tokens":"#)
        json.integer(adapter.virtualTokens)
        json.raw(#","tasks":"#)
        json.integer(adapter.taskCount)
        json.raw(#","digest":"#)
        json.string(adapter.digest)
        json.raw(#","bytes":"#)
        json.integer(adapter.byteCount)
        json.raw(#","vocabulary_size":"#)
        json.integer(adapter.vocabularySize)
        json.raw(adapter.isResident ? #","residency":"memory","resident":"# : #","residency":"disk","resident":"#)
        json.bool(adapter.isResident)
        json.raw(#","pinned":"#)
        json.bool(adapter.isPinned)
        json.raw(#","created":"#)
        json.integer(adapter.created)
        json.raw(#","last_used":"#)
        json.optional(adapter.lastUsed)
        json.raw(#","load_seconds":"#)
        json.seconds(adapter.loadSeconds)
    }

    private func appendUnknown(to json: inout JSONBuffer) {
        json.raw(
            #","kind":null,"rank":null,"ranks":[],"activated":null,"virtual_tokens":null,"tasks":null,"digest":null,"bytes":null,"#
        )
        json.raw(#""vocabulary_size":null,"residency":"disk","resident":false,"pinned":false,"created":null,"#)
        json.raw(#""last_used":null,"load_seconds":null"#)
    }
}

/// Answers about adapters.
package enum AdapterList {
    package static func all(_ adapters: [AdapterCard]) -> [UInt8] {
        var json = JSONBuffer()
        json.raw(#"{"object":"list","data":"#)
        json.list(adapters) { $1.append(to: &$0) }
        json.raw("}")
        return json.bytes
    }

    package static func one(_ adapter: AdapterCard) -> [UInt8] {
        var json = JSONBuffer()
        adapter.append(to: &json)
        return json.bytes
    }
}

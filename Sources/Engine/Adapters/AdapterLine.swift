/// Requests that wait for their adapters, in the order in which they came.
///
/// Who waits holds no adapter, so those who wait cannot keep each other waiting.
struct AdapterLine {
    struct Member {
        let call: AdapterCall
        let continuation: CheckedContinuation<AdapterLease, any Error>
    }

    private var members: [Member] = []

    mutating func append(_ member: Member) { members.append(member) }

    /// The request of this call, unless it was served or has left.
    subscript(call: AdapterCall) -> Member? { members.first { $0.call.number == call.number } }

    /// Takes a request out; nil when it is not there.
    mutating func leave(_ call: AdapterCall) -> Member? {
        members.firstIndex { $0.call.number == call.number }.map { members.remove(at: $0) }
    }

    /// Takes out all that are served by `lease`, in order.
    mutating func serve(_ lease: ([String]) -> AdapterLease?) -> [(member: Member, lease: AdapterLease)] {
        var served: [(member: Member, lease: AdapterLease)] = []
        var rest: [Member] = []
        for member in members {
            if let lease = lease(member.call.names) { served.append((member, lease)) } else { rest.append(member) }
        }
        members = rest
        return served
    }
}

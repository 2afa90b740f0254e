import ChatTemplates
import Checkpoints
import Testing

/// Hostile templates end with an error that names the limit: no hang, no crash, no unbounded memory.
@Suite struct LimitTests {
    private func failure(_ template: String, messages: JSONValue = [], limits: TemplateLimits = .default)
        -> TemplateError?
    {
        do throws(TemplateError) {
            _ = try ChatTemplate(template, limits: limits).render(TemplateInput(messages: messages))
            return nil
        } catch {
            return error
        }
    }

    private static let nestedLoops =
        "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}"
    private static let hugeSum = "{{ 1" + String(repeating: "+1", count: 100_000) + " }}"

    @Test(arguments: [
        "{{ range(10**9) }}",
        "{{ 'x' * 10**9 }}",
        "{{ [1] * 10**12 }}",
        "{{ ([1] * 10**6) * 10**6 }}",
        "{{ 'x' * 10**18 * 10**18 }}",
        "{{ 10 ** 100 }}",
        "{{ 2 ** 4000000000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '{:>1000000000}'.format(1) }}",
        "{{ 'a'.center(10**10) }}",
        "{{ 'a' | center(10**10) }}",
        "{{ 'a'.zfill(10**10) }}",
        "{{ ('a\\n' * 10000) | indent(10**9) }}",
        "{{ ('a' * 10**6).replace('', 'b' * 10**6) }}",
        "{{ ('ab' * 10**6).replace('a', 'b' * 10**6) }}",
        "{{ [[]] | tojson(indent=10**9) }}",
        "{{ [1] | batch(10**12, 0) | list }}",
        "{{ [1] | slice(10**12, 0) | list }}",
        "{{ '\\t'.expandtabs(10**12) }}",
        nestedLoops,
        hugeSum,
        "{% set ns = namespace(s='x') %}{% for i in range(1000) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(1000) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
        "{% set ns = namespace(l=[]) %}{% for i in range(99999) %}{% set ns.l = [ns.l] %}{% endfor %}",
        "{% set ns = namespace(d={}) %}{% for i in range(99999) %}{% set ns.d = {'d': ns.d} %}{% endfor %}",
        "{% set ns = namespace(i=[1]) %}{% for i in range(99999) %}{% set ns.i = ns.i | map('upper') %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(f) %}{{ f(f) }}{% endmacro %}{{ m(m) }}",
        "{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}{{ m() }}",
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{{ " + String(repeating: "(", count: 100_000) + "1" + String(repeating: ")", count: 100_000) + " }}",
        "{{ " + String(repeating: "[", count: 100_000) + "}}",
        "{{ " + String(repeating: "not ", count: 100_000) + "1 }}",
        "{{ " + String(repeating: "-", count: 100_000) + "1 }}",
        "{{ " + String(repeating: "1 if 1 else ", count: 50_000) + "1 }}",
        "{{ a" + String(repeating: ".a", count: 100_000) + " }}",
        "{{ a" + String(repeating: "|list", count: 100_000) + " }}",
        "{{ 1" + String(repeating: "**1", count: 100_000) + " }}",
        String(repeating: "{% if 1 %}", count: 50_000),
        String(repeating: "{% for x in y %}", count: 50_000),
        String(repeating: "{% macro m() %}", count: 50_000),
        String(repeating: "{% set x %}", count: 50_000),
        String(repeating: "x", count: 2_000_000),
        "{% set x = 'x' * 10**6 %}{% for i in range(10000) %}{{ x }}{% endfor %}",
        "{% for i in range(99999) %}{{ ('a' * 30000 ~ 'b') in ('a' * 60000) }}{% endfor %}",
        "{% set l = range(99999) | list %}{% for i in l %}{{ l == l + [] }}{% endfor %}",
        "{% set l = range(99999) | list %}{% for i in l %}{% if -1 in l %}{% endif %}{% endfor %}",
        "{% set u = 'é' * 99999 %}{% for i in range(99999) %}{{ u[i] }}{% endfor %}",
        "{% set ns = namespace(k={}) %}{% for i in range(99999) %}{% set ns.k = dict(ns.k, **{'k' ~ i: i}) %}{% endfor %}",
    ])
    func hostileTemplatesAreStopped(template: String) throws {
        let error = try #require(failure(template))
        #expect(error.kind == .limit || error.kind == .syntax, "\(error)")
    }

    @Test func limitsAreNamedWithTheLine() throws {
        var limits = TemplateLimits()
        limits.outputBytes = 10
        let output = try #require(failure("\n\n{% for x in range(9) %}abc{% endfor %}", limits: limits))
        #expect(output.message.contains("limit outputBytes"))
        #expect(output.line == 3)
        limits = TemplateLimits()
        limits.steps = 100
        let steps = try #require(failure("{% for x in range(999) %}{% endfor %}", limits: limits))
        #expect(steps.message.contains("limit steps"))
        limits = TemplateLimits()
        limits.allocatedBytes = 100
        #expect(try #require(failure("{{ 'a' * 200 }}", limits: limits)).message.contains("limit allocatedBytes"))
        limits = TemplateLimits()
        limits.sourceBytes = 3
        #expect(try #require(failure("{{ 1 }}", limits: limits)).message.contains("limit sourceBytes"))
    }

    /// The deepest nesting that is allowed must fit the stack of a secondary thread.
    @Test func allowedNestingFitsTheStack() async throws {
        let depth = 58
        let parentheses = String(repeating: "(", count: depth) + "1" + String(repeating: ")", count: depth)
        let template = "{% macro m(n) %}{% if n %}{{ [[m(n - 1)]] | map('first') | list }}{% endif %}{% endmacro %}"
        let rendering = await Task.detached {
            Result { () throws(TemplateError) in
                try ChatTemplate("{{ \(parentheses) }}").render(TemplateInput(messages: []))
            }
        }.value
        #expect(try rendering.get() == "1")
        let recursion = await Task.detached { self.failure(template + "{{ m(9999) }}") }.value
        #expect(recursion?.kind == .limit)
    }

    @Test func deepInputIsRefusedOrRendered() throws {
        var value: JSONValue = "x"
        for _ in 0..<500 { value = [value] }
        let messages: JSONValue = [["role": "user", "content": value]]
        #expect(
            failure("{{ messages | tojson }}{{ messages }}{{ messages == messages[:] }}", messages: messages) == nil)
    }
}

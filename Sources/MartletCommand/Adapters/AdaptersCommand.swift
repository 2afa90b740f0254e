import ArgumentParser

/// `martlet adapters`: what concerns adapters rather than models.
struct AdaptersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adapters",
        abstract: "Look at adapters, and change those of a running server.",
        discussion: """
            An adapter is a folder as PEFT saves it, with adapter_config.json and adapter_model.safetensors. All but \
            'inspect' without --url ask a running server, at http://127.0.0.1:8000 unless --url says otherwise. They end \
            with status 2 when nobody answers there, 3 when the key does not suffice, 4 when there is no such adapter.

            EXAMPLES
              martlet adapters inspect ~/adapters/sql --model ~/models/llama
              martlet adapters list
              martlet adapters load sql /srv/adapters/sql --api-key "$KEY"
              martlet adapters pin sql
            """,
        subcommands: [
            InspectAdapterCommand.self, ListAdaptersCommand.self, LoadAdapterCommand.self, UnloadAdapterCommand.self,
            ReloadAdapterCommand.self, PinAdapterCommand.self, UnpinAdapterCommand.self,
        ])
}

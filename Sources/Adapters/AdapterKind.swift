/// The methods of PEFT whose adapters can be read, by their names in `peft_type`.
package enum AdapterKind: String, Sendable, CaseIterable {
    case lora = "LORA"
    case adaLoRA = "ADALORA"
    case vera = "VERA"
    case ia3 = "IA3"
    case normTuning = "LN_TUNING"
    case trainableTokens = "TRAINABLE_TOKENS"
    case loha = "LOHA"
    case lokr = "LOKR"
    case promptTuning = "PROMPT_TUNING"
    case pTuning = "P_TUNING"
    case multitaskPromptTuning = "MULTITASK_PROMPT_TUNING"
    case prefixTuning = "PREFIX_TUNING"
    case cartridge = "CARTRIDGE"

    /// Methods of PEFT that are known by name and not read; any other name is unknown.
    package static let unsupported: Set<String> = [
        "ADAMSS", "ADAPTION_PROMPT", "BEFT", "BOFT", "BONE", "C3A", "CPT", "DEFT", "DELORA", "FOURIERFT", "FROD",
        "GLORA", "GRALORA", "HIRA", "HRA", "LILY", "MISS", "OFT", "OSF", "PEANUT", "POLY", "PSOFT", "PVERA", "RANDLORA",
        "ROAD", "SHADOW", "SHIRA", "SUPERTUNING", "TINYLORA", "UNILORA", "VBLORA", "WAVEFT", "XLORA",
    ]
}

"""Adapters of every kind on tiny random models, saved by PEFT, with what PEFT makes of them.

FOLDER/models/MODEL     config.json, model.safetensors
FOLDER/adapters/NAME           adapter_config.json, adapter_model.safetensors as PEFT saves them, and expected.safetensors:
                               some of the parameters that differ after PEFT merged the adapter in float64, or the prompt
FOLDER/logits.safetensors      for each NAME, and for each model alone, the logits of all positions of one prompt, by PEFT's
                               own modules at work in float64
FOLDER/cases.json              for each NAME the model and the names of all parameters that PEFT's merge changes
"""

import json
import pathlib
import random
import shutil
import sys
import zlib

import torch
from peft import (
    AdaLoraConfig, CartridgeConfig, IA3Config, LNTuningConfig, LoHaConfig, LoKrConfig, LoraConfig,
    MultitaskPromptTuningConfig, PeftModel, PrefixTuningConfig, PromptEncoderConfig, PromptTuningConfig,
    TrainableTokensConfig, VeraConfig, get_peft_model)
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

SEED = 20250802
VOCABULARY = 32
BASE = dict(
    vocab_size=VOCABULARY, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, head_dim=4, max_position_embeddings=64, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2,
    rope_parameters={"rope_type": "default", "rope_theta": 10000.0})
MODELS = {
    "plain": dict(attention_bias=True), "tied": dict(tie_word_embeddings=True),
    "mistral": dict(model_type="mistral", sliding_window=6),
    "qwen2": dict(model_type="qwen2", head_dim=None, use_sliding_window=True, sliding_window=5, max_window_layers=1),
    "bloom": dict(model_type="bloom", vocab_size=VOCABULARY, hidden_size=18, n_layer=2, n_head=3),
}
ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def lora(**fields):
    defaults = {"r": 3, "lora_alpha": 7, "target_modules": ["q_proj", "down_proj"]}
    return LoraConfig(task_type="CAUSAL_LM", **{**defaults, **fields})


def case(config, model="plain", dtype=None, grown=0):
    return dict(config=config, model=model, dtype=dtype, grown=grown)


CASES = {
    "lora": case(lora()),
    "lora-all-linear": case(lora(r=2, target_modules="all-linear")),
    "lora-patterns": case(lora(
        target_modules=ALL, use_rslora=True,
        rank_pattern={"^model.layers.0.self_attn.v_proj": 2, r"layers\.1\.mlp\.(up|gate)_proj": 5, "q_proj": 1},
        alpha_pattern={r"layers\.[1-9]\..*": 0.5, "q_proj": 11})),
    "lora-regex": case(lora(target_modules=r"model\.layers\.\d+\.(self_attn\.[qk]|mlp\.up)_proj")),
    "lora-layers": case(lora(layers_to_transform=[1], layers_pattern="layers")),
    "lora-exclude": case(lora(target_modules=ALL, exclude_modules=["o_proj", "layers.0.mlp.up_proj"])),
    "lora-embed-head": case(lora(target_modules=["embed_tokens", "lm_head"])),
    "lora-all-biases": case(lora(bias="all")),
    "lora-own-biases": case(lora(bias="lora_only")),
    "lora-bias": case(lora(target_modules=["q_proj", "v_proj"], lora_bias=True)),
    "lora-saved": case(lora(target_modules=["v_proj"], modules_to_save=["embed_tokens", "lm_head"])),
    "lora-saved-norms": case(lora(target_modules=["v_proj"], modules_to_save=["norm"])),
    "lora-tokens": case(lora(target_modules=["v_proj"], trainable_token_indices=[7, 3, 31])),
    "lora-grown": case(lora(target_modules=["v_proj"]), grown=3),
    "lora-bfloat16": case(lora(), dtype=torch.bfloat16),
    "lora-float16": case(lora(), dtype=torch.float16),
    "dora": case(lora(target_modules=["q_proj", "up_proj", "down_proj"], use_dora=True, rank_pattern={"up_proj": 2})),
    "dora-embed": case(lora(target_modules=["embed_tokens", "k_proj"], use_dora=True)),
    "dora-head": case(lora(target_modules=["lm_head", "o_proj", "gate_proj"], use_dora=True)),
    "lora-saved-linears": case(lora(target_modules=["q_proj"], modules_to_save=["v_proj", "up_proj", "o_proj"])),
    "alora": case(lora(alora_invocation_tokens=[4, 9, 5])),
    "tied-embed": case(lora(target_modules=["embed_tokens"]), model="tied"),
    "tied-both": case(lora(target_modules=["embed_tokens"], ensure_weight_tying=True), model="tied"),
    "tied-saved": case(
        lora(target_modules=["v_proj"], modules_to_save=["embed_tokens"], ensure_weight_tying=True), model="tied"),
    "tied-tokens": case(lora(target_modules=["v_proj"], trainable_token_indices=[8, 2]), model="tied"),
    "tied-head": case(lora(target_modules=["lm_head"]), model="tied"),
    "tied-dora": case(lora(target_modules=["embed_tokens", "v_proj"], use_dora=True), model="tied"),
    "mistral-lora": case(lora(r=2, target_modules="all-linear"), model="mistral"),
    "mistral-dora": case(lora(r=2, target_modules=["k_proj", "o_proj"], use_dora=True), model="mistral"),
    "qwen2-lora": case(lora(r=2, target_modules="all-linear"), model="qwen2"),
    "qwen2-dora": case(lora(r=2, target_modules=["q_proj", "v_proj"], use_dora=True), model="qwen2"),
    "qwen2-all-biases": case(lora(bias="all"), model="qwen2"),
    "bloom-lora": case(lora(r=2, target_modules="all-linear"), model="bloom"),
    "bloom-lora-bias": case(lora(target_modules=["query_key_value", "dense_h_to_4h"], lora_bias=True), model="bloom"),
    "bloom-dora": case(lora(
        r=2, target_modules=["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"], use_dora=True), model="bloom"),
    "bloom-embed": case(lora(target_modules=["word_embeddings", "query_key_value"]), model="bloom"),
    "bloom-all-biases": case(lora(target_modules=["query_key_value"], bias="all"), model="bloom"),
    "bloom-own-biases": case(lora(target_modules=["query_key_value", "dense_h_to_4h"], bias="lora_only"), model="bloom"),
    "bloom-saved": case(lora(
        target_modules=["query_key_value"], modules_to_save=["dense", "dense_h_to_4h", "word_embeddings_layernorm"]),
        model="bloom"),
    "bloom-ia3": case(IA3Config(
        task_type="CAUSAL_LM", target_modules=["query_key_value", "dense_4h_to_h"], feedforward_modules=["dense_4h_to_h"]),
        model="bloom"),
    "bloom-norms": case(LNTuningConfig(
        task_type="CAUSAL_LM", target_modules=["input_layernorm", "ln_f", "word_embeddings_layernorm"]), model="bloom"),
    "bloom-tokens": case(TrainableTokensConfig(
        task_type="CAUSAL_LM", target_modules=["word_embeddings"], token_indices=[5, 30, 6]), model="bloom"),
    "trainable-tokens": case(TrainableTokensConfig(
        task_type="CAUSAL_LM", target_modules=["embed_tokens"], token_indices=[5, 30, 6])),
    "adalora": case(AdaLoraConfig(
        task_type="CAUSAL_LM", target_modules=["q_proj", "down_proj"], init_r=4, target_r=2, lora_alpha=6, total_step=9)),
    "vera": case(VeraConfig(task_type="CAUSAL_LM", target_modules=["q_proj", "k_proj", "down_proj"], r=5)),
    "vera-seeded": case(VeraConfig(
        task_type="CAUSAL_LM", target_modules=["k_proj", "down_proj"], r=20, save_projection=False,
        projection_prng_key=2**32 + 77)),
    "ia3": case(IA3Config(
        task_type="CAUSAL_LM", target_modules=["k_proj", "v_proj", "down_proj"], feedforward_modules=["down_proj"])),
    "ia3-regex": case(IA3Config(
        task_type="CAUSAL_LM", target_modules=r".*\.(v|down|up)_proj", feedforward_modules=r".*\.(down|up)_proj")),
    "ln-tuning": case(LNTuningConfig(task_type="CAUSAL_LM", target_modules=["norm", "input_layernorm"])),
    "loha": case(LoHaConfig(task_type="CAUSAL_LM", target_modules=["q_proj", "down_proj"], r=2, alpha=5)),
    "lokr": case(LoKrConfig(
        task_type="CAUSAL_LM", target_modules=["q_proj", "up_proj"], r=1, alpha=3, decompose_factor=4)),
    "lokr-both": case(LoKrConfig(
        task_type="CAUSAL_LM", target_modules=["q_proj", "up_proj"], r=1, alpha=3, decompose_both=True,
        decompose_factor=4)),
    "prompt-tuning": case(PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)),
    "p-tuning": case(PromptEncoderConfig(task_type="CAUSAL_LM", num_virtual_tokens=3, encoder_hidden_size=8)),
    "multitask-prompt-tuning": case(MultitaskPromptTuningConfig(
        task_type="CAUSAL_LM", num_virtual_tokens=3, num_tasks=2, num_ranks=2)),
    "prefix-tuning": case(PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)),
    "prefix-projection": case(PrefixTuningConfig(
        task_type="CAUSAL_LM", num_virtual_tokens=3, prefix_projection=True, encoder_hidden_size=8)),
    "cartridge": case(CartridgeConfig(task_type="CAUSAL_LM", num_virtual_tokens=4, num_frozen_tokens=1)),
}
PROMPTS = ["prompt-tuning", "p-tuning", "multitask-prompt-tuning", "prefix-tuning", "prefix-projection", "cartridge"]
# Tokens whose rows some adapters train are among them; the last one is an added one where there are any.
PROMPT = [1, 7, 30, 8, 12, 31, 5, 4, 22, 2, 17, 3, 28, 6, 11, 20, 9, 29, 0, 13]


def seeded(*names):
    torch.manual_seed(SEED + zlib.crc32("/".join(names).encode()))


def make_models(folder):
    for name, changes in MODELS.items():
        seeded("model", name)
        changes = dict(changes)
        model_type = changes.pop("model_type", "llama")
        fields = changes if model_type == "bloom" else {**BASE, **changes}
        fields = {key: value for key, value in fields.items() if key != "head_dim" or value}
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(model_type, **fields))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.randn_like(parameter) * 0.3)
        model.save_pretrained(folder / name)
        (folder / name / "generation_config.json").unlink()


def load_model(folder, case):
    model = AutoModelForCausalLM.from_pretrained(folder / "models" / case["model"], dtype=torch.float32)
    if case["grown"]:
        model.resize_token_embeddings(VOCABULARY + case["grown"], mean_resizing=False)
    model.name_or_path = model.config._name_or_path = f"tiny-{case['model']}"
    return model


def make_adapter(folder, name, case):
    seeded("adapter", name)
    target = folder / "adapters" / name
    model = get_peft_model(load_model(folder, case), case["config"])
    with torch.no_grad():
        for path, parameter in model.named_parameters():
            if parameter.requires_grad or case["grown"] and ("embed_tokens" in path or "lm_head" in path):
                parameter.add_(torch.randn_like(parameter) * 0.3)
    model.save_pretrained(target, save_embedding_layers=True if case["grown"] else "auto")
    (target / "README.md").unlink(missing_ok=True)
    # Sets are saved in an order that changes from run to run.
    config = json.loads((target / "adapter_config.json").read_text())
    for field in ("target_modules", "modules_to_save", "exclude_modules", "feedforward_modules"):
        if isinstance(config.get(field), list):
            config[field].sort()
    (target / "adapter_config.json").write_text(json.dumps(config))
    weights = load_file(target / "adapter_model.safetensors")
    if case["dtype"]:
        weights = {key: value.to(case["dtype"]) for key, value in weights.items()}
    save_file({key: weights[key] for key in sorted(weights)}, target / "adapter_model.safetensors", {"format": "pt"})


def merged(folder, name, case):
    model = PeftModel.from_pretrained(load_model(folder, case), folder / "adapters" / name).double()
    if name == "alora":  # PEFT does not merge these; without the start it is a plain LoRA.
        state = {key: value.clone() for key, value in load_model(folder, case).double().state_dict().items()}
        for path, module in model.base_model.model.named_modules():
            if hasattr(module, "get_delta_weight"):
                state[path + ".weight"] += module.get_delta_weight("default")
        return state
    return model.merge_and_unload().state_dict()


def prompt(folder, name, case):
    model = PeftModel.from_pretrained(load_model(folder, case), folder / "adapters" / name)
    if "prefix" in name or name == "cartridge":
        cache = model.get_prompt(batch_size=1)
        result = {}
        for index, layer in enumerate(cache.layers):
            result[f"layers.{index}.keys"] = layer.keys[0].contiguous().clone()
            result[f"layers.{index}.values"] = layer.values[0].contiguous().clone()
        return result
    if name.startswith("multitask"):
        return {f"task.{t}": model.get_prompt(1, torch.tensor([t]))[0].contiguous().clone() for t in range(2)}
    return {"task.0": model.get_prompt(batch_size=1)[0].contiguous().clone()}


def expect(folder, name, case):
    """Writes expected.safetensors; returns the names of the parameters that change."""
    if name in PROMPTS:
        expected, changed = prompt(folder, name, case), []
    else:
        before = load_model(folder, {**case, "grown": 0}).double().state_dict()
        after = merged(folder, name, case)
        changed = sorted(
            key for key, value in after.items()
            if value.shape != before[key].shape or not torch.equal(value, before[key]))
        # Merging writes into the weight that the head shares; the adapter at work leaves the other one alone.
        if name in ("tied-embed", "tied-dora", "bloom-embed"):
            changed.remove("lm_head.weight")
        if name == "tied-head":
            changed.remove("model.embed_tokens.weight")
        if name == "tied-both":
            # For the same reason both changes end in one weight: it is taken apart again.
            model = PeftModel.from_pretrained(load_model(folder, case), folder / "adapters" / name).double()
            layers = {"model.embed_tokens": model.get_input_embeddings(), "lm_head": model.get_output_embeddings()}
            for path, layer in layers.items():
                after[path + ".weight"] = before[path + ".weight"] + layer.get_delta_weight("default")
        chosen = [key for key in changed if "layers" not in key]
        inner = [key for key in changed if "layers" in key]
        chosen += random.Random(SEED + len(name)).sample(inner, min(2, len(inner)))
        expected = {key: after[key].float().contiguous().clone() for key in chosen}
    if name == "vera-seeded":
        # What PEFT draws again when it loads the adapter.
        model = PeftModel.from_pretrained(load_model(folder, case), folder / "adapters" / name).base_model
        save_file(
            {"vera_A": model.vera_A["default"], "vera_B": model.vera_B["default"]},
            folder / "adapters" / name / "projections.safetensors")
    expected = {key: value.detach() for key, value in sorted(expected.items())}
    save_file(expected, folder / "adapters" / name / "expected.safetensors")
    return changed


def logits(folder):
    """What models and adapters at work make of the prompt."""
    result = {"prompt": torch.tensor(PROMPT, dtype=torch.int32)}
    with torch.no_grad():
        for name in MODELS:
            model = AutoModelForCausalLM.from_pretrained(folder / "models" / name, dtype=torch.float64)
            result[name] = model(torch.tensor([PROMPT])).logits[0]
        for name, case in CASES.items():
            if name in PROMPTS or name == "alora":
                continue
            model = PeftModel.from_pretrained(load_model(folder, case), folder / "adapters" / name).double().eval()
            prompt = PROMPT[:-1] + [VOCABULARY + 1] if case["grown"] else PROMPT
            result[name] = model(torch.tensor([prompt])).logits[0]
    save_file(
        {key: value.float().contiguous() if value.is_floating_point() else value for key, value in sorted(result.items())},
        folder / "logits.safetensors")


def main():
    folder = pathlib.Path(sys.argv[1])
    for part in ("models", "adapters"):
        shutil.rmtree(folder / part, ignore_errors=True)
    make_models(folder / "models")
    cases = {}
    for name, case in CASES.items():
        make_adapter(folder, name, case)
        cases[name] = {"model": case["model"], "changed": expect(folder, name, case)}
    logits(folder)
    (folder / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")


main()

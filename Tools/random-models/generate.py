"""Tiny random checkpoints of every architecture and the logits that transformers computes for them.

For each variant a folder with config.json, model.safetensors and expected.safetensors:
  tokens  int32 [prompts, length]   one row per prompt
  lengths int32 [prompts]           tokens of the row that count
  logits  float32 [rows, vocab]     logits of the positions named in `rows`
  rows    int32 [rows, 2]           (prompt, position)
"""

import json
import pathlib
import sys
import zlib

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

SEED = 20250711
BASE = dict(
    vocab_size=131, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, head_dim=16, max_position_embeddings=256, rms_norm_eps=1e-5, tie_word_embeddings=False,
    bos_token_id=1, eos_token_id=2, rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
)
# Bloom has names of its own.
BLOOM = dict(
    model_type="bloom", vocab_size=131, hidden_size=30, n_layer=2, n_head=5, layer_norm_epsilon=1e-5, bos_token_id=1,
    eos_token_id=2, tie_word_embeddings=True)


def rope(kind, **fields):
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 10000.0, **fields}}


# Variant -> differences from BASE, or from BLOOM; "dtype" is the type of the file.
VARIANTS = {
    "mha": dict(num_key_value_heads=4),
    "gqa": dict(),
    "mqa-tied": dict(num_key_value_heads=1, tie_word_embeddings=True),
    "head-dim": dict(head_dim=24, num_key_value_heads=1),
    "odd-sizes": dict(
        hidden_size=33, intermediate_size=61, head_dim=10, num_attention_heads=3, num_key_value_heads=1, vocab_size=97),
    "attention-bias": dict(attention_bias=True),
    "mlp-bias": dict(mlp_bias=True, hidden_act="gelu"),
    "gelu-tanh": dict(hidden_act="gelu_pytorch_tanh", attention_bias=True, mlp_bias=True),
    "old-spelling": dict(rope_scaling_old={"type": "linear", "factor": 2.0}, rope_theta_old=50000.0),
    "rope-linear": rope("linear", factor=4.0),
    "rope-dynamic": rope("dynamic", factor=2.0),
    "rope-llama3": rope(
        "llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64),
    "rope-yarn": rope("yarn", factor=4.0, original_max_position_embeddings=64),
    "rope-yarn-mscale": rope(
        "yarn", factor=8.0, original_max_position_embeddings=32, mscale=1.0, mscale_all_dim=0.7, beta_fast=16.0,
        beta_slow=2.0, truncate=False),
    "rope-longrope-short": rope(
        "longrope", short_factor=[1.0 + 0.1 * i for i in range(8)], long_factor=[2.0 + i for i in range(8)],
        original_max_position_embeddings=256),
    "rope-longrope-long": rope(
        "longrope", short_factor=[1.0 + 0.1 * i for i in range(8)], long_factor=[2.0 + i for i in range(8)],
        original_max_position_embeddings=16),
    "bfloat16": dict(dtype="bfloat16"),
    "float16": dict(dtype="float16"),
    "mistral": dict(model_type="mistral", sliding_window=17),
    "qwen2": dict(
        model_type="qwen2", head_dim=None, use_sliding_window=True, sliding_window=20, max_window_layers=1,
        num_hidden_layers=3),
    "qwen2-tied": dict(
        model_type="qwen2", head_dim=None, sliding_window=8, tie_word_embeddings=True, num_key_value_heads=1),
    "bloom": BLOOM,
    # As the first checkpoints were published: other names of fields, tensors of the model without its head.
    "bloom-old": BLOOM | dict(hidden_size=32, n_head=4, old=dict(n_embed=32, num_attention_heads=4, seq_length=128)),
}
PROMPT_LENGTHS = [1, 7, 16, 45, 90]


def build(name, changes):
    changes = dict(changes)
    dtype = changes.pop("dtype", "float32")
    old = {key: changes.pop(key) for key in ("rope_scaling_old", "rope_theta_old") if key in changes}
    renamed = changes.pop("old", {})
    model_type = changes.pop("model_type", "llama")
    fields = changes if model_type == "bloom" else BASE | changes
    fields = {key: value for key, value in fields.items() if key != "head_dim" or value}
    if old:
        scaling = old["rope_scaling_old"]
        fields["rope_parameters"] = {
            "rope_type": scaling["type"], "rope_theta": old["rope_theta_old"], "factor": scaling["factor"]}
    torch.manual_seed(SEED + zlib.crc32(name.encode()))
    made = AutoConfig.for_model(model_type, **fields, attn_implementation="eager")
    model = AutoModelForCausalLM.from_config(made).float().eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            # Larger than usual, so that attention is peaked and every part of the model shows in the logits.
            is_norm = key.endswith(("norm.weight", "ln_f.weight"))
            spread = 0.3 if is_norm else 0.6 if "embed" in key else 0.25
            parameter.normal_(1.0 if is_norm else 0.0, spread)
            if dtype != "float32":
                parameter.copy_(parameter.to(getattr(torch, dtype)).float())
    config = dict(model_type=model_type, architectures=[type(model).__name__], dtype=dtype, **fields)
    if renamed:
        for field in ("hidden_size", "n_head", "tie_word_embeddings"):
            del config[field]
        config |= renamed
    if old:
        config = {key: value for key, value in config.items() if key not in ("rope_parameters", "dtype")}
        config |= dict(rope_scaling=old["rope_scaling_old"], rope_theta=old["rope_theta_old"], torch_dtype=dtype)
    return model, config, getattr(torch, dtype)


def expected(model, name):
    generator = torch.Generator().manual_seed(SEED ^ zlib.crc32(name.encode()))
    # The long factors apply to sequences longer than the original length only: shorter ones are not a fair question.
    lengths = [n for n in PROMPT_LENGTHS if name != "rope-longrope-long" or n > 16]
    tokens = torch.randint(0, model.config.vocab_size, (len(lengths), max(lengths)), generator=generator)
    rows, logits = [], []
    for prompt, length in enumerate(lengths):
        with torch.no_grad():
            out = model(tokens[prompt : prompt + 1, :length], use_cache=False).logits[0].float()
        for position in sorted({0, length // 3, length // 2, length - 1}):
            rows.append((prompt, position))
            logits.append(out[position])
    return dict(
        tokens=tokens.to(torch.int32), lengths=torch.tensor(lengths, dtype=torch.int32),
        rows=torch.tensor(rows, dtype=torch.int32), logits=torch.stack(logits).contiguous())


def main(target):
    for name, changes in VARIANTS.items():
        model, config, dtype = build(name, changes)
        folder = target / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
        tensors = {key: value.to(dtype).contiguous() for key, value in model.state_dict().items()}
        if model.config.tie_word_embeddings:
            del tensors["lm_head.weight"]
        if "old" in changes:
            tensors = {key.removeprefix("transformer."): value for key, value in tensors.items()}
        save_file(tensors, folder / "model.safetensors")
        save_file(expected(model, name), folder / "expected.safetensors")
        print(name, sum(file.stat().st_size for file in folder.iterdir()))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))

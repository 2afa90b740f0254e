"""Writes the fixtures of CheckpointsTests with the reference libraries: safetensors files and configurations.

    pip install -r requirements.txt
    python make_fixtures.py

Everything is seeded; a second run writes the same bytes.
"""
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import (Gemma3TextConfig, LlamaConfig, LlamaForCausalLM, MistralConfig, Phi3Config, Qwen2Config,
                          Qwen3Config)
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

OUT = Path(__file__).resolve().parents[2] / "Tests" / "CheckpointsTests" / "Fixtures"
DTYPES = dict(F64=torch.float64, F32=torch.float32, F16=torch.float16, BF16=torch.bfloat16, I64=torch.int64,
              I32=torch.int32, I16=torch.int16, I8=torch.int8, U8=torch.uint8, U16=torch.uint16, U32=torch.uint32,
              U64=torch.uint64, BOOL=torch.bool, F8_E4M3=torch.float8_e4m3fn, F8_E5M2=torch.float8_e5m2,
              C64=torch.complex64)


def content(tensor):
    """The bytes of a tensor in hexadecimal digits."""
    return bytes(tensor.contiguous().reshape(-1).view(torch.uint8).tolist() if tensor.numel() else []).hex()


def tensors():
    """One file with every dtype that torch can save, scalars and an empty tensor, and the bytes of each."""
    torch.manual_seed(1)
    made = {}
    for name, dtype in DTYPES.items():
        made[f"{name.lower()}.matrix"] = (torch.rand(3, 5) * 100).to(dtype)
        made[f"{name.lower()}.scalar"] = (torch.rand(()) * 100).to(dtype)
    made["empty"] = torch.zeros(0, 4)
    made["naïve 名"] = torch.arange(6, dtype=torch.float32).reshape(1, 2, 3)
    save_file(made, OUT / "dtypes.safetensors", metadata={"format": "pt", "note": "every dtype"})
    names = {v: k for k, v in DTYPES.items()}
    write("dtypes.json", {k: dict(dtype=names[v.dtype], shape=list(v.shape), bytes=content(v)) for k, v in made.items()})


def sharded():
    """A tiny model in several files, as transformers saves large ones."""
    torch.manual_seed(2)
    config = LlamaConfig(vocab_size=16, hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_attention_heads=2,
                         num_key_value_heads=1, max_position_embeddings=32, dtype="bfloat16")
    model = LlamaForCausalLM(config).to(torch.bfloat16)
    folder = OUT / "sharded"
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, max_shard_size="1KB")
    write("sharded.json", {k: dict(shape=list(v.shape), bytes=content(v)) for k, v in model.state_dict().items()})


def configs():
    """Configurations as transformers writes them, with the rotary embeddings that it computes from them."""
    small = dict(vocab_size=320, hidden_size=64, intermediate_size=128, num_hidden_layers=4, num_attention_heads=4,
                 num_key_value_heads=2, max_position_embeddings=512)
    rope = lambda kind, **more: dict(rope_parameters=dict(rope_type=kind, rope_theta=5e5, **more))
    made = dict(
        llama_default=LlamaConfig(**small, attention_bias=True, mlp_bias=True, eos_token_id=[1, 2]),
        llama_linear=LlamaConfig(**small, **rope("linear", factor=4.0)),
        llama_dynamic=LlamaConfig(**small, **rope("dynamic", factor=2.0)),
        llama_llama3=LlamaConfig(**small, **rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                                 original_max_position_embeddings=128)),
        llama_yarn=LlamaConfig(**small, **rope("yarn", factor=4.0, original_max_position_embeddings=128)),
        mistral_yarn_mscale=MistralConfig(**small, sliding_window=16, head_dim=32, **rope(
            "yarn", factor=4.0, original_max_position_embeddings=128, mscale=0.7, mscale_all_dim=0.4, beta_fast=16,
            beta_slow=2, truncate=False)),
        qwen2_yarn_attention_factor=Qwen2Config(**small, use_sliding_window=True, sliding_window=64, max_window_layers=3,
                                                **rope("yarn", factor=2.0, attention_factor=1.25,
                                                       original_max_position_embeddings=256)),
        qwen3_default=Qwen3Config(**small, head_dim=24, tie_word_embeddings=True),
        phi3_longrope=Phi3Config(**small, pad_token_id=0, original_max_position_embeddings=128, partial_rotary_factor=0.75,
                                 **rope("longrope", short_factor=[1.0 + i / 8 for i in range(6)],
                                        long_factor=[2.0 + i for i in range(6)])),
        gemma3_nested=Gemma3TextConfig(**small, head_dim=16, sliding_window=32),
    )
    folder = OUT / "configs"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    expected = {}
    for name, config in made.items():
        config.to_json_file(folder / f"{name}.json", use_diff=False)
        expected[name] = dict(layers=[layer(config, i) for i in range(config.num_hidden_layers)])
    write("configs.json", expected)


def layer(config, index):
    """Window, theta and the factor on cosine and sine of one layer, as the modelling code of transformers has them."""
    kinds = getattr(config, "layer_types", None)
    kind = kinds[index] if kinds else None
    nested = kind in config.rope_parameters
    parameters = config.rope_parameters[kind] if nested else config.rope_parameters
    window = config.sliding_window if kind == "sliding_attention" or (not kinds and config.model_type in (
        "mistral", "phi3")) else None
    factor = 1.0
    if parameters["rope_type"] != "default":
        factor = ROPE_INIT_FUNCTIONS[parameters["rope_type"]](config, "cpu", layer_type=kind if nested else None)[1]
    return dict(window=window, theta=parameters["rope_theta"], rope_type=parameters["rope_type"], attention_factor=factor)


def write(name, value):
    (OUT / name).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    tensors()
    sharded()
    configs()

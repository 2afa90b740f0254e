"""A random Llama checkpoint of a real model's shape, for measuring speed: python shape.py 1b FOLDER

Values mean nothing, sizes do: `1b` is the shape of Llama-3.2-1B, `135m` that of SmolLM2-135M. No tokenizer is written.
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

SHAPES = {
    "1b": dict(
        hidden_size=2048, num_hidden_layers=16, num_attention_heads=32, num_key_value_heads=8, head_dim=64,
        intermediate_size=8192, vocab_size=128256, rope_theta=500000.0),
    "135m": dict(
        hidden_size=576, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3, head_dim=64,
        intermediate_size=1536, vocab_size=49152, rope_theta=100000.0),
}


def main(shape, folder):
    fields = SHAPES[shape]
    torch.manual_seed(1)
    hidden, inner, heads = fields["hidden_size"], fields["intermediate_size"], fields["head_dim"]
    queries, keys = heads * fields["num_attention_heads"], heads * fields["num_key_value_heads"]

    def matrix(rows, columns):
        return (torch.randn(rows, columns) * 0.02).to(torch.bfloat16)

    tensors = {"model.embed_tokens.weight": matrix(fields["vocab_size"], hidden)}
    for layer in range(fields["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        for name, rows, columns in [
            ("self_attn.q_proj", queries, hidden), ("self_attn.k_proj", keys, hidden),
            ("self_attn.v_proj", keys, hidden), ("self_attn.o_proj", hidden, queries), ("mlp.gate_proj", inner, hidden),
            ("mlp.up_proj", inner, hidden), ("mlp.down_proj", hidden, inner),
        ]:
            tensors[f"{prefix}{name}.weight"] = matrix(rows, columns)
        for name in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"{prefix}{name}.weight"] = torch.ones(hidden, dtype=torch.bfloat16)
    tensors["model.norm.weight"] = torch.ones(hidden, dtype=torch.bfloat16)
    config = dict(
        model_type="llama", architectures=["LlamaForCausalLM"], hidden_act="silu", rms_norm_eps=1e-5,
        max_position_embeddings=8192, tie_word_embeddings=True, torch_dtype="bfloat16", eos_token_id=0, **fields)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    save_file(tensors, folder / "model.safetensors")


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))

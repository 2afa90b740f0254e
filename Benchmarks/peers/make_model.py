"""Random-weight models in real shapes with a byte-level BPE tokenizer, and LoRA adapters for them as PEFT saves them.

    make_model.py {1b,135m} FOLDER      Llama-3.2-1B's or SmolLM2-135M's shape
    make_model.py lora MODEL PREFIX N   adapters PREFIX0 … PREFIX(N-1): rank 16 on all linear layers
"""
import glob
import json
import os
import sys
import sysconfig

import torch

SHAPES = {
    "1b": dict(
        hidden_size=2048, num_hidden_layers=16, num_attention_heads=32, num_key_value_heads=8, intermediate_size=8192,
        vocab_size=128256, rope_theta=500000.0),
    "135m": dict(
        hidden_size=576, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3, intermediate_size=1536,
        vocab_size=49152, rope_theta=100000.0),
}


def make_model(shape, out):
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    config = LlamaConfig(
        head_dim=64, tie_word_embeddings=True, max_position_embeddings=8192, rms_norm_eps=1e-5, bos_token_id=0,
        eos_token_id=1, pad_token_id=2, **SHAPES[shape])
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(out, safe_serialization=True)
    make_tokenizer(config.vocab_size, out)


def make_tokenizer(vocabulary, out):
    """Trained on Python's own library, padded to the vocabulary."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=min(vocabulary, 40000) - 256, special_tokens=["<s>", "</s>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(texts(), trainer)
    count = tokenizer.get_vocab_size()
    tokenizer.add_tokens(
        [AddedToken(f"<extra_{i}>", special=False, normalized=False) for i in range(vocabulary - count)])
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>").save_pretrained(out)


def texts():
    left = 25_000_000
    for path in sorted(glob.glob(sysconfig.get_paths()["stdlib"] + "/**/*.py", recursive=True)):
        try:
            text = open(path, encoding="utf-8").read()
        except (OSError, UnicodeDecodeError):
            continue
        left -= len(text)
        if left < 0:
            return
        yield text


def make_adapters(model, prefix, count, rank=16):
    from safetensors.torch import save_file

    config = json.load(open(model + "/config.json"))
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    queries, keys = config["num_attention_heads"] * 64, config["num_key_value_heads"] * 64
    modules = {
        "self_attn.q_proj": (hidden, queries), "self_attn.k_proj": (hidden, keys), "self_attn.v_proj": (hidden, keys),
        "self_attn.o_proj": (queries, hidden), "mlp.gate_proj": (hidden, inner), "mlp.up_proj": (hidden, inner),
        "mlp.down_proj": (inner, hidden),
    }
    for number in range(count):
        torch.manual_seed(100 + number)
        tensors = {}
        for layer in range(config["num_hidden_layers"]):
            for module, (inputs, outputs) in modules.items():
                name = f"base_model.model.model.layers.{layer}.{module}"
                tensors[name + ".lora_A.weight"] = (torch.randn(rank, inputs) * 0.02).bfloat16()
                tensors[name + ".lora_B.weight"] = (torch.randn(outputs, rank) * 0.02).bfloat16()
        folder = f"{prefix}{number}"
        os.makedirs(folder, exist_ok=True)
        save_file(tensors, folder + "/adapter_model.safetensors", metadata={"format": "pt"})
        settings = dict(
            peft_type="LORA", task_type="CAUSAL_LM", r=rank, lora_alpha=rank, lora_dropout=0.0, bias="none",
            fan_in_fan_out=False, inference_mode=True, base_model_name_or_path="base",
            target_modules=[name.split(".")[1] for name in modules])
        json.dump(settings, open(folder + "/adapter_config.json", "w"))


if __name__ == "__main__":
    if sys.argv[1] == "lora":
        make_adapters(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        make_model(sys.argv[1], sys.argv[2])

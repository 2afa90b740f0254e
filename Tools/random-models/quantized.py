"""Logits of the random checkpoints when linear layers have integer weights and integer rows.

The rules are those of `mk_format_int8` and `mk_format_int4`, written down a second time in torch: weights are replaced by
what their integers stand for, and every row that enters a linear layer is rounded to 8 bits. The arithmetic between is
float. For each folder and format, `expected-FORMAT.safetensors` holds `logits` of the rows that `expected.safetensors`
names.
"""

import pathlib
import sys

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

NAMES = ["gqa", "mqa-tied", "mistral", "qwen2", "bloom"]
GROUP = 32


def int8_weights(weight):
    most = weight.abs().amax(1, keepdim=True)
    return (weight * (127 / most)).round() * (most / 127)


def int4_weights(weight):
    outputs, inputs = weight.shape
    padded = torch.nn.functional.pad(weight, (0, -inputs % GROUP)).reshape(outputs, -1, GROUP)
    top = padded.gather(2, padded.abs().argmax(2, keepdim=True))
    scale = (top / -8).half().float()
    whole = (padded * torch.where(scale == 0, 0, 1 / scale)).clamp(-8, 7).round()
    return (whole * scale).reshape(outputs, -1)[:, :inputs]


def rounded_rows(module, arguments):
    (rows,) = arguments
    most = rows.abs().amax(-1, keepdim=True)
    return ((rows * (127 / most)).round() * (most / 127),)


def quantize(model, layers):
    head = model.get_output_embeddings()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.Linear):
                # Of tied weights the embeddings are read from the same integers.
                module.weight.copy_((int8_weights if module is head else layers)(module.weight))
                module.register_forward_pre_hook(rounded_rows)


def main(folders):
    for name in NAMES:
        folder = folders / name
        questions = load_file(folder / "expected.safetensors")
        for format, layers in [("int8", int8_weights), ("int4", int4_weights)]:
            model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
            quantize(model, layers)
            logits = []
            for prompt, position in questions["rows"].tolist():
                tokens = questions["tokens"][prompt : prompt + 1, : questions["lengths"][prompt]].long()
                with torch.no_grad():
                    logits.append(model(tokens, use_cache=False).logits[0, position])
            save_file({"logits": torch.stack(logits).contiguous()}, folder / f"expected-{format}.safetensors")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))

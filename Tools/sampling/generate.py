"""Writes Tests/SamplingTests/Fixtures/distributions.json: what transformers' logits processors make of seeded logits.

    python Tools/sampling/generate.py

Each case holds a row of logits, parameters, and the probability of every token after them.  Order and meaning are
vLLM's: bias, repetition, frequency and presence penalties, temperature, min-p, top-k, top-p.
"""
import json
import pathlib

import torch
from transformers.generation.logits_process import (
    MinPLogitsWarper, RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper)

GRID = [
    {},
    {"temperature": 0.5},
    {"temperature": 2.5},
    {"top_k": 1},
    {"top_k": 5},
    {"top_k": 39, "top_p": 0.7},
    {"top_p": 0.9},
    {"top_p": 0.3},
    {"top_p": 0.999},
    {"top_p": 0.01},
    {"min_p": 0.1},
    {"min_p": 0.3, "top_p": 0.8, "temperature": 1.3},
    {"min_p": 0.02, "top_k": 12},
    {"repetition_penalty": 1.3},
    {"repetition_penalty": 0.7, "temperature": 0.8},
    {"frequency_penalty": 0.8},
    {"presence_penalty": -1.5},
    {"frequency_penalty": -0.4, "presence_penalty": 1.1, "repetition_penalty": 1.2, "top_p": 0.95},
    {"logit_bias": {"3": 4.0, "7": -100.0}},
    {"temperature": 0.7, "top_k": 10, "top_p": 0.9, "min_p": 0.05, "repetition_penalty": 1.1,
     "frequency_penalty": 0.2, "presence_penalty": 0.3, "logit_bias": {"0": 1.5}},
]


def distribution(logits, prompt, output, p):
    row = logits.clone()[None]
    for token, bias in p.get("logit_bias", {}).items():
        row[0, int(token)] += bias
    if p.get("repetition_penalty", 1) != 1:
        row = RepetitionPenaltyLogitsProcessor(p["repetition_penalty"])(torch.tensor([prompt + output]), row)
    for token in set(output):
        row[0, token] -= p.get("frequency_penalty", 0) * output.count(token) + p.get("presence_penalty", 0)
    if "temperature" in p:
        row = TemperatureLogitsWarper(p["temperature"])(None, row)
    if "min_p" in p:
        row = MinPLogitsWarper(p["min_p"])(None, row)
    if "top_k" in p:
        row = TopKLogitsWarper(p["top_k"])(None, row)
    if "top_p" in p:
        row = TopPLogitsWarper(p["top_p"])(None, row)
    return torch.softmax(row.double(), -1)[0]


def main():
    generator = torch.Generator().manual_seed(20260)
    cases = []
    for parameters in GRID:
        logits = torch.randn(40, generator=generator) * 2
        prompt = torch.randint(0, 40, (6,), generator=generator).tolist()
        output = torch.randint(0, 40, (8,), generator=generator).tolist()
        cases.append({
            "parameters": parameters, "prompt": prompt, "output": output,
            "logits": [round(float(x), 6) for x in logits],
        })
        exact = torch.tensor(cases[-1]["logits"])
        cases[-1]["probabilities"] = [round(float(x), 7) for x in distribution(exact, prompt, output, parameters)]
        cases[-1]["log_softmax"] = [round(float(x), 6) for x in torch.log_softmax(exact.double(), -1)]
    target = pathlib.Path(__file__).parents[2] / "Tests/SamplingTests/Fixtures/distributions.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


main()

#!/usr/bin/env python3
"""The same measurement for HuggingFace `tokenizers` on one core: reference.py MODEL_FOLDER TEXT_FILE."""
import os
import statistics
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
from tokenizers import Tokenizer


def median(rounds, body):
    times = []
    for _ in range(rounds):
        start = time.process_time()
        result = body()
        times.append(time.process_time() - start)
    return statistics.median(times), result


folder, path = sys.argv[1:]
with open(path, encoding="utf-8", newline="") as file:
    text = file.read()
megabytes = len(text.encode()) / 1e6
load, tokenizer = median(5, lambda: Tokenizer.from_file(f"{folder}/tokenizer.json"))
encode, encoding = median(5, lambda: tokenizer.encode(text, add_special_tokens=False))
ids = encoding.ids
decode, _ = median(5, lambda: tokenizer.decode(ids, skip_special_tokens=False))
print(f"hf       load {load:.3f} s, encode {megabytes / encode:.3f} MB/s, decode {megabytes / decode:.3f} MB/s, {len(ids)} ids")

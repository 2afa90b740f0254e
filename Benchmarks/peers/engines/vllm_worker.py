"""vLLM on the CPU, offline: vllm_worker.py MODEL THREADS [LORA_PREFIX]"""
import os
import random
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from engines.rows import seeded, tokens, warm_prefix
from engines.worker import measure_offline, serve


def load():
    from vllm import LLM, SamplingParams
    from vllm.inputs import TokensPrompt
    from vllm.lora.request import LoRARequest

    model, prefix = sys.argv[1], sys.argv[3] if len(sys.argv) > 3 else None
    options = dict(
        model=model, dtype="bfloat16", max_model_len=4096, max_num_seqs=64, enable_prefix_caching=True,
        max_num_batched_tokens=2048, disable_log_stats=True)
    if prefix:
        options.update(enable_lora=True, max_loras=8, max_lora_rank=16)
    llm = LLM(**options)
    numbers = seeded()

    def run(prompts, outputs, adapters=None):
        sampling = SamplingParams(max_tokens=outputs, temperature=0, ignore_eos=True, detokenize=False)
        start = time.perf_counter()
        llm.generate(
            [TokensPrompt(prompt_token_ids=prompt) for prompt in prompts], sampling, use_tqdm=False,
            lora_request=adapters)
        return time.perf_counter() - start

    adapters = [LoRARequest(f"a{i}", 1 + i, f"{prefix}{i}") for i in range(8)] if prefix else None
    run([tokens(64, numbers)], 8)
    run([tokens(64, numbers) for _ in range(8)], 4, adapters)

    def measure(row):
        if row["kind"] == "prefix":
            return warm_prefix(lambda prompt: run([prompt], 1))
        return measure_offline(
            lambda lengths, outputs: run([tokens(n, numbers) for n in lengths], outputs, adapters), row)

    return measure


if __name__ == "__main__":
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "2")
    os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", f"0-{int(sys.argv[2]) - 1}")
    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    serve(load)

"""OpenVINO GenAI's continuous batching on token ids: openvino_worker.py MODEL THREADS [PRECISION]"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from engines.rows import seeded, tokens, warm_prefix
from engines.worker import measure_offline, serve


def load():
    import numpy
    import openvino
    import openvino_genai as genai

    scheduler = genai.SchedulerConfig()
    scheduler.cache_size = 2
    scheduler.max_num_seqs = 64
    scheduler.max_num_batched_tokens = 2048
    scheduler.enable_prefix_caching = True
    scheduler.dynamic_split_fuse = True
    properties = {"INFERENCE_NUM_THREADS": int(sys.argv[2])}
    if len(sys.argv) > 3:
        properties["INFERENCE_PRECISION_HINT"] = sys.argv[3]
    pipeline = genai.ContinuousBatchingPipeline(sys.argv[1], scheduler, "CPU", properties)
    numbers = seeded()
    names = iter(range(1 << 60))

    def run(prompts, outputs):
        config = genai.GenerationConfig()
        config.max_new_tokens = config.min_new_tokens = outputs
        config.ignore_eos = True
        config.do_sample = False
        tensors = [openvino.Tensor(numpy.array([prompt], dtype=numpy.int64)) for prompt in prompts]
        start = time.perf_counter()
        handles = [pipeline.add_request(next(names), tensor, config) for tensor in tensors]
        while pipeline.has_non_finished_requests():
            pipeline.step()
        seconds = time.perf_counter() - start
        if any(len(handle.read_all()[0].generated_ids) < outputs for handle in handles):
            raise RuntimeError("an output is too short")
        return seconds

    run([tokens(64, numbers)], 8)
    run([tokens(64, numbers) for _ in range(8)], 4)

    def measure(row):
        if row["kind"] == "prefix":
            return warm_prefix(lambda prompt: run([prompt], 1))
        return measure_offline(lambda lengths, outputs: run([tokens(n, numbers) for n in lengths], outputs), row)

    return measure


if __name__ == "__main__":
    serve(load)

"""Martlet: `martlet bench`, and `martlet serve` for the row with a warm prefix."""
import json
import shlex
import subprocess

from .rows import Unsupported, post, wait_until_ready, warm_prefix


class Martlet:
    name = "martlet"

    def __init__(self, options):
        self.binary = options.martlet
        self.more = shlex.split(options.martlet_flags)
        self.model = f"{options.models}/{options.model}"
        self.adapters = [f"{options.models}/lora-{options.model}-{i}" for i in range(8)]
        self.threads = options.threads
        self.port = options.port

    def missing(self, form):
        return None

    def flags(self, form):
        flags = [self.model, "--threads", str(self.threads)] + self.more
        return flags + ["--dtype", "bfloat16"] if form == "bf16" else flags + ["--quantization", form]

    def prepare(self, row, form):
        """Loads nothing: every measurement starts a program."""

    def measure(self, row, form):
        if row.kind == "prefix":
            return self.prefix(form)
        if row.kind == "lora":
            return self.lora(row, form)
        result = self.bench(
            ["latency"] + self.flags(form) + [
                "--batch-size", str(row.batch), "--input-len", str(row.inputs), "--output-len", str(row.outputs),
                "--num-iters-warmup", "1", "--num-iters", "3" if row.kind == "prefill" else "1"])
        if row.kind == "decode":
            return result["decode_tokens_per_second"]
        if row.kind == "prefill":
            return result["prefill_tokens_per_second"]
        return row.batch * row.outputs / result["avg_latency"]

    def lora(self, row, form):
        adapters = [flag for i, path in enumerate(self.adapters) for flag in ("--adapter", f"a{i}={path}")]
        result = self.bench(
            ["throughput"] + self.flags(form) + adapters + [
                "--num-prompts", str(row.batch), "--input-len", str(row.inputs), "--output-len", str(row.outputs),
                "--num-warmups", "8"])
        return result["output_throughput"]

    def bench(self, arguments):
        done = subprocess.run(
            [self.binary, "bench"] + arguments + ["--json", "-"], capture_output=True, text=True, timeout=900)
        if done.returncode == 64:
            raise Unsupported(done.stderr.strip().splitlines()[0] if done.stderr.strip() else "usage")
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip()[-300:])
        return json.loads(done.stdout)

    def prefix(self, form):
        server = subprocess.Popen(
            [self.binary, "serve"] + self.flags(form) + [
                "--host", "127.0.0.1", "--port", str(self.port), "--served-model-name", "m", "--log-level", "off"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until_ready(server, self.port)
            return warm_prefix(
                lambda prompt: post(
                    self.port, "/v1/completions",
                    dict(model="m", prompt=prompt, max_tokens=1, temperature=0, ignore_eos=True)))
        finally:
            server.terminate()
            server.wait()

    def stop(self):
        pass

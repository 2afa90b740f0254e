"""llama.cpp: llama-bench, llama-batched-bench, and llama-server for prefixes and adapters."""
import json
import os
import re
import subprocess
import threading
import time

from .rows import Unsupported, post, seeded, tokens, wait_until_ready, warm_prefix

FILES = {"bf16": "bf16", "int8": "Q8_0", "int4": "Q4_0"}


class LlamaCpp:
    name = "llama.cpp"

    def __init__(self, options):
        self.bin = options.llama_bin
        self.model = f"{options.models}/{options.model}"
        self.adapters = [f"{options.models}/lora-{options.model}-{i}.gguf" for i in range(8)]
        self.threads = str(options.threads)
        self.port = options.port + 1

    def file(self, form):
        return f"{self.model}-{FILES[form]}.gguf"

    def missing(self, form):
        for path in (f"{self.bin}/llama-bench", self.file(form)):
            if not os.path.exists(path):
                return f"{path} is not there"
        return None

    def prepare(self, row, form):
        """Loads nothing: every measurement starts a program."""

    def measure(self, row, form):
        return getattr(self, row.kind)(row, form)

    def run(self, tool, arguments):
        environment = dict(os.environ, LD_LIBRARY_PATH=self.bin)
        done = subprocess.run(
            [f"{self.bin}/{tool}"] + arguments, capture_output=True, text=True, timeout=900, env=environment)
        if done.returncode != 0:
            raise RuntimeError(f"{tool}: {done.stderr.strip()[-300:]}")
        return done.stdout

    def bench(self, form, arguments):
        text = self.run(
            "llama-bench",
            ["-m", self.file(form), "-t", self.threads, "-fa", "on", "-lm", "none", "-o", "json"] + arguments)
        return json.loads(text)[0]["avg_ts"]

    def decode(self, row, form):
        return self.bench(form, ["-p", "0", "-n", str(row.outputs), "-d", str(row.inputs), "-r", "1"])

    def prefill(self, row, form):
        return self.bench(form, ["-p", str(row.inputs), "-n", "0", "-r", "3"])

    def batch(self, row, form):
        text = self.run("llama-batched-bench", [
            "-m", self.file(form), "-t", self.threads, "-tb", self.threads, "-c", "9216", "-b", "2048", "-ub", "512",
            "-npp", str(row.inputs), "-ntg", str(row.outputs), "-npl", str(row.batch), "-fa", "on", "-lm", "none"])
        # | PP | TG | B | N_KV | T_PP s | S_PP t/s | T_TG s | S_TG t/s | T s | S t/s |
        found = re.search(rf"^\|\s*{row.inputs}\s*\|\s*{row.outputs}\s*\|\s*{row.batch}\s*\|(.*)\|\s*$", text, re.M)
        if not found:
            raise RuntimeError("llama-batched-bench printed no row")
        seconds = float(found.group(1).split("|")[5])
        return row.batch * row.outputs / seconds

    # llama-server

    def prefix(self, row, form):
        with Server(self, form, []) as server:
            server.complete(tokens(32, seeded()), 4)
            return warm_prefix(lambda prompt: server.complete(prompt, 1, cache=True))

    def lora(self, row, form):
        for path in self.adapters:
            if not os.path.exists(path):
                raise Unsupported(f"{path} is not there")
        numbers = seeded()
        with Server(self, form, self.adapters) as server:
            server.complete(tokens(32, numbers), 4)
            threads = [
                threading.Thread(target=server.complete, args=(tokens(row.inputs, numbers), row.outputs, i))
                for i in range(row.batch)]
            start = time.perf_counter()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return row.batch * row.outputs / (time.perf_counter() - start)

    def stop(self):
        pass


class Server:
    def __init__(self, engine, form, adapters):
        self.port = engine.port
        self.adapters = adapters
        command = [
            f"{engine.bin}/llama-server", "-m", engine.file(form), "-t", engine.threads, "-tb", engine.threads, "-c",
            "16384", "-np", "8", "-fa", "on", "--host", "127.0.0.1", "--port", str(self.port), "-lm", "none",
            "--no-warmup", "--lora-init-without-apply", "--log-disable"]
        if adapters:
            command += ["--lora", ",".join(adapters)]
        environment = dict(os.environ, LD_LIBRARY_PATH=engine.bin)
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)

    def __enter__(self):
        wait_until_ready(self.process, self.port)
        return self

    def __exit__(self, *failure):
        self.process.terminate()
        self.process.wait()

    def complete(self, prompt, outputs, adapter=None, cache=False):
        body = dict(prompt=prompt, n_predict=outputs, temperature=0, ignore_eos=True, cache_prompt=cache)
        if adapter is not None:
            body["lora"] = [
                dict(id=i, scale=1.0 if i == adapter else 0.0) for i in range(len(self.adapters))]
        return post(self.port, "/completion", body)

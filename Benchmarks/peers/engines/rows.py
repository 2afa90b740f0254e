"""What the rows of the race are. Every engine measures the same thing and returns one number."""
import json
import random
import time
import urllib.request
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    group: str
    name: str
    unit: str
    # What the measurement needs: lengths in tokens, requests in the batch.
    kind: str
    inputs: int = 0
    outputs: int = 0
    batch: int = 1

    @property
    def lower_is_better(self):
        return self.unit == "ms"


ROWS = [
    Row("decode", "decode, 1 request behind 128 tokens", "tok/s", "decode", 128, 128),
    Row("prefill", "prefill, 512 tokens", "tok/s", "prefill", 512, 1),
    Row("prefill", "prefill, 2048 tokens", "tok/s", "prefill", 2048, 1),
    Row("batch", "8 requests, 128 in, 128 out", "output tok/s", "batch", 128, 128, 8),
    Row("batch", "32 requests, 128 in, 128 out", "output tok/s", "batch", 128, 128, 32),
    Row("prefix", "first token behind a warm prefix of 1000, 24 new", "ms", "prefix", 24, 1),
    Row("lora", "8 requests, 8 different LoRA, 128 in, 64 out", "output tok/s", "lora", 128, 64, 8),
]
PREFIX = 1000
GROUPS = ["decode", "prefill", "batch", "prefix", "lora"]
FORMATS = ["bf16", "int8", "int4"]


class Unsupported(Exception):
    """The engine cannot run a row; says why."""


def tokens(count, random_numbers):
    """Random token ids that are special in none of the models."""
    return [random_numbers.randrange(300, 30000) for _ in range(count)]


def seeded():
    return random.Random(time.time_ns())


def post(port, path, body, timeout=600):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return json.loads(answer.read())


def wait_until_ready(process, port, seconds=300):
    end = time.time() + seconds
    while time.time() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server does not become ready")


def warm_prefix(complete):
    """Milliseconds of complete(prompt) for a prompt whose first 1000 tokens another one had: the better of two tries, after
    one that computes the prefix."""
    numbers = seeded()
    prefix = tokens(PREFIX, numbers)
    complete(prefix + tokens(24, numbers))
    times = []
    for _ in range(2):
        prompt = prefix + tokens(24, numbers)
        start = time.perf_counter()
        complete(prompt)
        times.append((time.perf_counter() - start) * 1000)
    return min(times)

#!/usr/bin/env python3
"""Drives a running server with the unmodified `openai` package and checks what comes back.

    check.py .build/release/martlet            starts `martlet serve` (the demo model) on a free port, and ends it
    check.py --url http://127.0.0.1:8000       uses a server that already runs

Prints one line for each check that fails and `N passed, N failed` at the end; exits with 1 if any failed.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import openai

MESSAGES = [{"role": "user", "content": "Who lives in the lighthouse?"}]
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


class Context:
    def __init__(self, url):
        self.url = url
        self.client = openai.OpenAI(base_url=url + "/v1", api_key="unused", max_retries=0, timeout=120)
        self.model = self.client.models.list().data[0].id

    def chat(self, **arguments):
        arguments = {"model": self.model, "messages": MESSAGES, "temperature": 0, "max_tokens": 24, **arguments}
        return self.client.chat.completions.create(**arguments)

    def complete(self, prompt="Once upon a time", **arguments):
        arguments = {"model": self.model, "prompt": prompt, "temperature": 0, "max_tokens": 16, **arguments}
        return self.client.completions.create(**arguments)

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=30) as response:
            return response.read().decode()

    def post(self, path, body):
        """Status, headers and decoded body of a raw request, whatever its status."""
        request = urllib.request.Request(
            self.url + path, data=body if isinstance(body, bytes) else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, response.headers, json.loads(response.read())
        except urllib.error.HTTPError as error:
            return error.code, error.headers, json.loads(error.read() or b"null")


def equal(found, expected, what=""):
    assert found == expected, f"{what}: expected {expected!r}, found {found!r}"


def raises(kind, function):
    try:
        function()
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}")


@check
def models(c):
    cards = c.client.models.list().data
    assert cards and cards[0].object == "model" and cards[0].created > 0
    equal(c.client.models.retrieve(c.model).id, c.model)
    assert c.client.models.retrieve(c.model).max_model_len > 0
    error = raises(openai.NotFoundError, lambda: c.client.models.retrieve("no-such-model"))
    equal(error.body["type"], "NotFoundError")


@check
def chat(c):
    reply = c.chat()
    equal(reply.object, "chat.completion")
    equal(reply.model, c.model)
    assert reply.id.startswith("chatcmpl-")
    choice = reply.choices[0]
    equal(choice.message.role, "assistant")
    assert choice.message.content
    assert choice.finish_reason in ("stop", "length")
    usage = reply.usage
    equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)
    assert usage.prompt_tokens_details.cached_tokens >= 0
    assert 0 < usage.completion_tokens <= 24


@check
def chat_stream_equals_whole(c):
    whole = c.chat()
    chunks = list(c.chat(stream=True, stream_options={"include_usage": True}))
    equal(chunks[0].choices[0].delta.role, "assistant")
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    equal(text, whole.choices[0].message.content)
    equal(chunks[-1].choices, [])
    equal(chunks[-1].usage.completion_tokens, whole.usage.completion_tokens)
    finishes = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices and chunk.choices[0].finish_reason]
    equal(finishes, [whole.choices[0].finish_reason])
    assert all(chunk.usage is None for chunk in chunks[:-1])


@check
def stream_helper(c):
    with c.client.chat.completions.stream(model=c.model, messages=MESSAGES, temperature=0, max_tokens=24) as stream:
        for _ in stream:
            pass
        final = stream.get_final_completion()
    equal(final.choices[0].message.content, c.chat().choices[0].message.content)


@check
def both_names_of_the_limit(c):
    equal(c.chat(max_tokens=openai.omit, max_completion_tokens=3).usage.completion_tokens <= 3, True)


@check
def several_choices(c):
    reply = c.chat(n=3, temperature=1, seed=11)
    equal([choice.index for choice in reply.choices], [0, 1, 2])
    greedy = c.chat(n=2)
    equal(greedy.choices[0].message.content, greedy.choices[1].message.content)
    chunks = list(c.chat(n=3, temperature=1, seed=11, stream=True))
    for index, choice in enumerate(reply.choices):
        text = "".join(
            part.delta.content or "" for chunk in chunks for part in chunk.choices if part.index == index)
        equal(text, choice.message.content)


@check
def seeds(c):
    def sample(seed):
        return c.chat(temperature=1.5, seed=seed, max_tokens=32).choices[0].message.content

    equal(sample(7), sample(7))
    equal(sample(-3), sample(-3))
    assert len({sample(seed) for seed in range(8)}) > 1


@check
def chat_logprobs(c):
    reply = c.chat(logprobs=True, top_logprobs=3)
    content = reply.choices[0].logprobs.content
    equal(len(content), reply.usage.completion_tokens)
    for position in content:
        equal(len(position.top_logprobs), 3)
        assert position.logprob <= 0
        assert position.logprob == max(top.logprob for top in position.top_logprobs)
        assert position.bytes is not None
    text = b"".join(bytes(position.bytes) for position in content).decode(errors="replace")
    assert reply.choices[0].message.content.strip() in text
    chunks = c.chat(logprobs=True, top_logprobs=3, stream=True)
    streamed = [p for chunk in chunks for choice in chunk.choices if choice.logprobs for p in choice.logprobs.content]
    equal([p.logprob for p in streamed], [p.logprob for p in content])


@check
def completion(c):
    reply = c.complete()
    equal(reply.object, "text_completion")
    assert reply.id.startswith("cmpl-")
    assert reply.choices[0].text
    text = "".join(chunk.choices[0].text for chunk in c.complete(stream=True) if chunk.choices)
    equal(text, reply.choices[0].text)


@check
def completion_prompts(c):
    tokens = c.post("/tokenize", {"prompt": "Once upon a time"})[2]["tokens"]
    single = c.complete().choices[0].text
    equal(c.complete(tokens).choices[0].text, single)
    equal([choice.text for choice in c.complete([tokens, tokens]).choices], [single, single])
    several = c.complete(["Once upon a time", "The", "Once upon a time"], n=2)
    equal([choice.index for choice in several.choices], list(range(6)))
    for index in (0, 1, 4, 5):
        equal(several.choices[index].text, single)
    streamed = [""] * 6
    for chunk in c.complete(["Once upon a time", "The", "Once upon a time"], n=2, stream=True):
        for choice in chunk.choices:
            streamed[choice.index] += choice.text
    equal(streamed, [choice.text for choice in several.choices])


@check
def echo_and_logprobs(c):
    tokens = c.post("/tokenize", {"prompt": "Once upon a time"})[2]["tokens"]
    reply = c.complete([tokens, tokens[:2]], echo=True, logprobs=1, max_tokens=1)
    for choice, prompt in zip(reply.choices, [tokens, tokens[:2]]):
        logprobs = choice.logprobs
        equal(len(logprobs.tokens), len(prompt) + 1)
        equal(logprobs.token_logprobs[0], None)
        equal(logprobs.top_logprobs[0], None)
        for logprob, top in zip(logprobs.token_logprobs[1:], logprobs.top_logprobs[1:]):
            assert logprob in top.values()
        equal(len(logprobs.text_offset), len(logprobs.tokens))
    only = c.complete(tokens, echo=True, logprobs=1, max_tokens=0)
    equal(only.choices[0].logprobs.token_logprobs, reply.choices[0].logprobs.token_logprobs[:-1])
    equal(only.usage.completion_tokens, 0)
    text = c.complete(echo=True, max_tokens=4).choices[0].text
    assert text.startswith("Once upon a time")
    equal(text, "Once upon a time" + c.complete(max_tokens=4).choices[0].text)


@check
def stops(c):
    whole = c.complete(max_tokens=32).choices[0]
    word = whole.text.split()[2]
    stopped = c.complete(max_tokens=32, stop=word).choices[0]
    equal(stopped.finish_reason, "stop")
    equal(stopped.text, whole.text[: whole.text.index(word)])
    equal(stopped.stop_reason, word)
    kept = c.complete(max_tokens=32, stop=[word], extra_body={"include_stop_str_in_output": True}).choices[0]
    equal(kept.text, stopped.text + word)


@check
def extras(c):
    reply = c.chat(extra_body={"return_token_ids": True, "ignore_eos": True, "min_tokens": 5}, max_tokens=9)
    equal(len(reply.choices[0].token_ids), 9)
    equal(len(reply.prompt_token_ids), reply.usage.prompt_tokens)
    only = c.post("/tokenize", {"prompt": "a", "add_special_tokens": False})[2]["tokens"][:1]
    forced = c.complete(max_tokens=3, extra_body={"allowed_token_ids": only, "return_token_ids": True}).choices[0]
    equal(forced.token_ids, only * 3)
    biased = c.complete(max_tokens=3, logit_bias={str(only[0]): 100}, extra_body={"return_token_ids": True}).choices[0]
    equal(biased.token_ids, only * 3)


@check
def tokenize(c):
    status, _, reply = c.post("/tokenize", {"prompt": "Grüße, 世界 🙂"})
    equal(status, 200)
    equal(reply["count"], len(reply["tokens"]))
    back = c.post("/detokenize", {"tokens": reply["tokens"]})[2]["prompt"]
    assert back.endswith("Grüße, 世界 🙂"), back
    chat = c.post("/tokenize", {"messages": MESSAGES})[2]
    equal(chat["count"], c.chat(max_tokens=1).usage.prompt_tokens)


@check
def error_classes(c):
    raises(openai.NotFoundError, lambda: c.chat(model="no-such-model"))
    error = raises(openai.BadRequestError, lambda: c.chat(temperature=-1))
    equal(error.param, "temperature")
    equal(str(error.code), "400")  # the client reads it as text
    error = raises(openai.BadRequestError, lambda: c.chat(messages=[{"role": "user", "content": 5}]))
    assert "messages[0].content" in error.message
    raises(openai.BadRequestError, lambda: c.chat(max_tokens=10**9))
    raises(openai.BadRequestError, lambda: c.complete([10**8]))
    raises(openai.BadRequestError, lambda: c.complete(suffix="x"))
    raises(openai.BadRequestError, lambda: c.complete("word " * 100_000))
    raises(openai.BadRequestError, lambda: c.chat(n=2**31))
    equal(c.post("/v1/completions", b"{")[0], 400)
    equal(c.post("/v1/nothing", {})[0], 404)


@check
def raw_headers(c):
    raw = c.client.chat.completions.with_raw_response.create(
        model=c.model, messages=MESSAGES, max_tokens=1, extra_headers={"x-request-id": "my-request"})
    equal(raw.headers["x-request-id"], "my-request")
    equal(raw.parse()._request_id, "my-request")
    equal(raw.parse().id, "chatcmpl-my-request")
    assert raw.headers["content-type"].startswith("application/json")


@check
def cancel_within_a_stream(c):
    streams = [c.chat(stream=True, max_tokens=200, extra_body={"ignore_eos": True}) for _ in range(4)]
    for stream in streams:
        next(iter(stream))
        stream.close()
    for _ in range(500):
        running = [line for line in c.get("/metrics").splitlines() if line.startswith("vllm:num_requests_running{")]
        if running and float(running[0].split()[-1]) == 0:
            break
        time.sleep(0.02)
    else:
        raise AssertionError(f"requests still run after their clients are gone: {running}")
    assert c.chat().choices[0].message.content


@check
def together_equals_alone(c):
    prompts = [f"Question {index}: " + "what is that? " * (index % 7) for index in range(24)]
    alone = [c.complete(prompt, seed=index, temperature=1).choices[0].text for index, prompt in enumerate(prompts)]
    together = [None] * len(prompts)

    def run(index):
        stream = c.complete(prompts[index], seed=index, temperature=1, stream=True)
        together[index] = "".join(chunk.choices[0].text for chunk in stream if chunk.choices)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(prompts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(together, alone)


@check
def operations(c):
    equal(c.get("/health"), "")
    assert json.loads(c.get("/version"))["version"]
    metrics = c.get("/metrics")
    for name in ("vllm:num_requests_running", "vllm:generation_tokens_total", "vllm:time_to_first_token_seconds_bucket"):
        assert f"\n{name}{{" in metrics, name


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def serving(binary, extra):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [binary, "serve", "--host", "127.0.0.1", "--port", str(port), *extra], stdout=log, stderr=log)
        try:
            for _ in range(1200):
                if process.poll() is not None:
                    break
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(url + "/health", timeout=5).close()
                    break
                time.sleep(0.1)
            if process.poll() is not None:
                log.seek(0)
                sys.exit("the server ended at once:\n" + log.read().decode(errors="replace"))
            yield url
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(timeout=60)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            if process.returncode != 0:
                log.seek(0)
                tail = log.read().decode(errors="replace")[-4000:]
                print(f"FAILED exit: the server ended with {process.returncode}\n{tail}")
                serving.failed = True


serving.failed = False


def run(url, only):
    context = Context(url)
    passed = failed = 0
    for function in CHECKS:
        if only and function.__name__ not in only:
            continue
        try:
            function(context)
            passed += 1
        except Exception as error:  # a check may fail in any way; the others still run
            failed += 1
            print(f"FAILED {function.__name__}: {type(error).__name__}: {str(error)[:600]}")
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?", default=".build/release/martlet")
    parser.add_argument("--url", help="use this server instead of starting one")
    parser.add_argument("--only", action="append", help="run the check of this name")
    arguments, extra = parser.parse_known_args()
    if arguments.url:
        passed, failed = run(arguments.url.rstrip("/"), arguments.only)
    else:
        with serving(os.path.abspath(arguments.binary), extra) as url:
            passed, failed = run(url, arguments.only)
        # The server must stop cleanly on SIGTERM.
        failed, passed = (failed + 1, passed) if serving.failed else (failed, passed + 1)
    print(f"openai {openai.__version__}: {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

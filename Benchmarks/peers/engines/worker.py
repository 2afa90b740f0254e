"""Engines that are Python packages: loaded once in their own interpreter, stopped (SIGSTOP) while others are measured."""
import json
import os
import signal
import subprocess

MARK = "@race "


class Worker:
    """A process that answers one JSON line with another."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            start_new_session=True)
        try:
            self.answer()
        except Exception:
            self.end()
            raise
        self.signal(signal.SIGSTOP)

    def signal(self, number):
        os.killpg(self.process.pid, number)

    def answer(self):
        for line in self.process.stdout:
            if line.startswith(MARK):
                answer = json.loads(line[len(MARK):])
                if "error" in answer:
                    raise RuntimeError(answer["error"])
                return answer.get("value")
        raise RuntimeError(f"the worker ended with status {self.process.wait()}")

    def ask(self, question):
        self.signal(signal.SIGCONT)
        try:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
            return self.answer()
        finally:
            if self.process.poll() is None:
                self.signal(signal.SIGSTOP)

    def end(self):
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
            self.process.wait()


class Workers:
    """One worker at a time, loaded anew where a question needs another one."""

    def __init__(self):
        self.key = None
        self.worker = None

    def load(self, key, command):
        if self.key != key:
            self.stop()
            self.worker = Worker(command)
            self.key = key

    def ask(self, question):
        return self.worker.ask(question)

    def stop(self):
        if self.worker:
            self.worker.end()
        self.key = self.worker = None


def serve(load):
    """The other end: `load()` gives a function from a question to a number."""
    import sys

    def say(answer):
        print(MARK + json.dumps(answer), flush=True)

    try:
        measure = load()
    except Exception as error:
        say({"error": f"{type(error).__name__}: {error}"[:300]})
        return
    say({})
    for line in sys.stdin:
        try:
            say({"value": measure(json.loads(line))})
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}"[:300]})


def measure_offline(generate, row):
    """A row through a function that runs prompts of given lengths together and returns the seconds.

    Decoding is the difference between a long and a short output, so that the prompt and the first token do not count.
    """
    kind, inputs, outputs, batch = row["kind"], row["inputs"], row["outputs"], row["batch"]
    if kind == "decode":
        short = min(generate([inputs], 1) for _ in range(2))
        return outputs / (generate([inputs], outputs + 1) - short)
    if kind == "prefill":
        times = sorted(generate([inputs], 1) for _ in range(3))
        return inputs / times[1]
    return batch * outputs / generate([inputs] * batch, outputs)

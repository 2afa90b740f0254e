"""vLLM and OpenVINO GenAI, each in its own interpreter."""
import os

from .rows import Unsupported
from .worker import Workers

HERE = os.path.dirname(os.path.abspath(__file__))


class VLLM:
    name = "vLLM"

    def __init__(self, options):
        self.python = options.vllm_python
        self.model = f"{options.models}/{options.model}"
        self.adapters = f"{options.models}/lora-{options.model}-"
        self.threads = str(options.threads)
        self.workers = Workers()

    def missing(self, form):
        if form != "bf16":
            return "measured in bf16 only"
        return None if self.python and os.path.exists(self.python) else "--vllm-python names no interpreter"

    def prepare(self, row, form):
        command = [self.python, f"{HERE}/vllm_worker.py", self.model, self.threads]
        # With adapters enabled everything is slower, so that the other rows run without.
        if row.kind == "lora":
            command.append(self.adapters)
        self.workers.load(row.kind == "lora", command)

    def measure(self, row, form):
        return self.workers.ask(vars(row))

    def stop(self):
        self.workers.stop()


class OpenVINO:
    name = "OpenVINO"

    def __init__(self, options):
        self.python = options.openvino_python
        self.model = f"{options.models}/ov-{options.model}"
        self.threads = str(options.threads)
        self.workers = Workers()

    def missing(self, form):
        if not self.python or not os.path.exists(self.python):
            return "--openvino-python names no interpreter"
        return None if os.path.isdir(f"{self.model}-{form}") else f"{self.model}-{form} is not there"

    def prepare(self, row, form):
        if row.kind == "lora":
            raise Unsupported("applies one adapter to all requests of a batch")
        command = [self.python, f"{HERE}/openvino_worker.py", f"{self.model}-{form}", self.threads]
        if form == "bf16":
            command.append("bf16")
        self.workers.load(form, command)

    def measure(self, row, form):
        return self.workers.ask(vars(row))

    def stop(self):
        self.workers.stop()

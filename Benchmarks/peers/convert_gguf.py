"""Runs a converter of llama.cpp on a model whose tokenizer it does not know, as if that were GPT-2's:

    cd llama.cpp && convert_gguf.py convert_hf_to_gguf.py MODEL --outfile OUT --outtype bf16
    cd llama.cpp && convert_gguf.py convert_lora_to_gguf.py ADAPTER --base MODEL --outfile OUT --outtype bf16
"""
import os
import runpy
import sys

sys.path[:0] = [os.getcwd(), os.path.join(os.getcwd(), "gguf-py")]
import conversion.base

for name in dir(conversion.base):
    kind = getattr(conversion.base, name)
    if isinstance(kind, type) and "get_vocab_base_pre" in kind.__dict__:
        kind.get_vocab_base_pre = lambda self, tokenizer: "gpt-2"
script = sys.argv[1]
sys.argv = sys.argv[1:]
runpy.run_path(script, run_name="__main__")

"""A HuggingFace checkpoint as OpenVINO's model: export_openvino.py MODEL OUT {bf16,int8,int4} [GROUP]

The group of 4-bit weights must divide the hidden size: 128, or 64 for the shape of SmolLM2-135M.
"""
import sys

from openvino import save_model
from openvino_tokenizers import convert_tokenizer
from optimum.intel import OVModelForCausalLM, OVWeightQuantizationConfig
from transformers import AutoTokenizer

source, out, form = sys.argv[1:4]
group = int(sys.argv[4]) if len(sys.argv) > 4 else 128
options = {
    "bf16": dict(load_in_8bit=False),
    "int8": dict(quantization_config=OVWeightQuantizationConfig(bits=8, sym=True)),
    "int4": dict(quantization_config=OVWeightQuantizationConfig(bits=4, sym=True, group_size=group, ratio=1.0)),
}[form]
OVModelForCausalLM.from_pretrained(source, export=True, compile=False, **options).save_pretrained(out)
tokenizer = AutoTokenizer.from_pretrained(source)
tokenizer.save_pretrained(out)
encoder, decoder = convert_tokenizer(tokenizer, with_detokenizer=True)
save_model(encoder, out + "/openvino_tokenizer.xml")
save_model(decoder, out + "/openvino_detokenizer.xml")

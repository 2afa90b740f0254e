#!/usr/bin/env python3
"""Writes the fixtures of Tests/TokenizersTests: small tokenizers of every kind and what the reference makes of texts.

The reference is HuggingFace `tokenizers`. The texts are seeded; the vocabularies may differ from run to run, as the
package's trainers break ties in the order of their hash tables.

usage: generate.py Tests/TokenizersTests/Fixtures        needs: pip install tokenizers
"""
import base64
import itertools
import json
import os
import random
import struct
import sys

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors,
                        trainers)

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")
QWEN35 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
O200K = "|".join([
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])
DEEPSEEK3 = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"
             r"|\s*[\r\n]+|\s+(?!\S)|\s+")
KIMI = r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+|\s+|."
PATTERNS = [
    GPT2, LLAMA3, QWEN2, QWEN35, O200K, DEEPSEEK3, KIMI, r"\p{N}{1,3}", r"[一-龥\u3040-ゟ゠-ヿ]+", r"\s?\p{L}+", r"\d{3}(?=\D|$)",
    r"[^\r\n\p{L}\p{N}]?+\p{L}++|\s++", r"(?<=\p{L})\p{N}+", r"(?<!a)b", r"\b\w+\b", r"^.|.$", r"a*?b|(?>a+)c|x{2,}?",
    r"(?:ab|a)(?:c|bcd)*", r"[[:^a]&&[a-z]]|\P{L}+".replace("[:^a]", "^aeiou"), r"(?i)hello|wörld|ß", r"\h+|\x{1F600}|\u00e9|\t",
    r"(foo|bar|\n)+", r"\A\s+|\s+\z", r"(?m:.+)", r".+", r"", r"\s*", r"(?:a|aa)+$", r"\w{1,3}|[^\w\s]+", r"[^\s]*?[aeiou]",
]
BEHAVIORS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]

CORPUS = [
    "The quick brown fox jumps over the lazy dog. It's 12345 times faster than we'd think!",
    "Whereas recognition of the inherent dignity and of the equal and inalienable rights of all members",
    "def encode(self, text: str) -> list[int]:\n    return [self.ids[c] for c in text]\n\n\n",
    "Привет, мир! Все люди рождаются свободными и равными в своем достоинстве и правах.",
    "人人生而自由，在尊严和权利上一律平等。すべての人間は、生まれながらにして自由であり",
    "Tous les êtres humains naissent libres et égaux en dignité; naïve café, façade, œuvre.",
    "नमस्ते दुनिया। สวัสดีชาวโลก مرحبا بالعالم שלום עולם 안녕하세요 세계",
    "Emoji 😀👍🏽👩‍👩‍👧‍👦 and numbers 3.14, 1,000,000 and $5.00 (50%) -- don't, won't, I'll, they're",
] * 3


def random_text(rng, specials=(), pieces=()):
    """A short text that mixes scripts, marks, blanks, controls, contractions, digits and special tokens."""
    spaces = [" ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "\n\n", " \n", "\r", "\u0085", "\x0b", "\u2028", "\u200b"]
    marks = list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~¡“”’—。，、！？")
    emoji = ["😀", "👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇩🇪", "❤️", "☃"]
    odd = ["e\u0301", "a\u0308\u0323", "\u0301", "ñ", "Å", "ﬁ", "①", "ｱ", "ｶﾞ", "한", "각", "\u1112\u1161\u11ab", "ǅ", "İ", "ß", "ſ",
           "\u212a", "\u0344", "क्षि", "ำ", "\u0327\u0301"]
    controls = ["\x00", "\x01", "\x7f", "\u200d", "\ufeff", "\ufffd", "\u202e", "\xad", "\ue000", "\x1b"]
    contractions = ["'s", "'S", "'t", "'LL", "'re", "'VE", "'d", "'m", "'ſ", "n't", " 's", " ' ", " do not", " .", " ,"]
    words = ["the", "Hello", "world", "foo", "bar", "iPhone", "naïve", "Привет", "мир", "你好", "世界", "こんにちは", "สวัสดี", "مرحبا",
             "שלום", "नमस्ते", "a", "b", "I", "x1", "aab", "aeiou", "HTTP", "camelCase", "ALLCAPS"]
    parts = []
    for _ in range(rng.choice([1, 2, 3, 5, 8, 13])):
        kind = rng.randrange(12)
        if kind == 0:
            parts.append(rng.choice(spaces) * rng.choice([1, 1, 2, 5]))
        elif kind == 1:
            parts.append(rng.choice(marks) * rng.choice([1, 1, 2, 4]))
        elif kind == 2:
            parts.append(rng.choice(emoji))
        elif kind == 3:
            parts.append(rng.choice(odd))
        elif kind == 4:
            parts.append(rng.choice(controls + spaces))
        elif kind == 5:
            parts.append(rng.choice(contractions))
        elif kind in (6, 7, 8):
            parts.append(rng.choice(words) + rng.choice(["", " ", "  "]))
        elif kind == 9:
            parts.append(str(rng.randrange(10 ** rng.randrange(1, 9))) + rng.choice(["", "²", "Ⅷ", "٣", "½"]))
        elif kind == 10 and specials:
            parts.append(rng.choice(["", " ", "\n"]) + rng.choice(specials) + rng.choice(["", " ", "  ", "\n"]))
        elif pieces:
            parts.append(rng.choice(pieces))
    return "".join(parts)


def component(value):
    return json.loads(value.__getstate__())


# Single components

def pre_tokenizer_cases(rng):
    configs = [pre_tokenizers.Split(Regex(p), "isolated") for p in PATTERNS]
    configs += [pre_tokenizers.Split(p, b, i) for b, i in itertools.product(BEHAVIORS, [False, True])
                for p in [" ", "aa", Regex(r"\s+"), Regex(r"[^\s]+"), Regex(GPT2)]]
    configs += [pre_tokenizers.Punctuation(b) for b in BEHAVIORS]
    configs += [pre_tokenizers.Digits(i) for i in [False, True]]
    configs += [pre_tokenizers.Metaspace("▁", s, p) for s in ["always", "first", "never"] for p in [False, True]]
    configs += [pre_tokenizers.Metaspace("_"), pre_tokenizers.Whitespace(), pre_tokenizers.WhitespaceSplit(),
                pre_tokenizers.BertPreTokenizer(), pre_tokenizers.CharDelimiterSplit("a"), pre_tokenizers.FixedLength(3),
                pre_tokenizers.ByteLevel(True), pre_tokenizers.ByteLevel(False), pre_tokenizers.ByteLevel(True, use_regex=False)]
    configs += [pre_tokenizers.Sequence(list(steps)) for steps in [
        (pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace("▁", "first")),
        (pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(False), pre_tokenizers.Digits(False),
         pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")),
        (pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(True)),
        (pre_tokenizers.ByteLevel(False, use_regex=False), pre_tokenizers.Split(Regex(r"\p{Lu}|[^\s]\p{N}"), "merged_with_next"),
         pre_tokenizers.Split("Ġ", "removed"), pre_tokenizers.Whitespace()),
    ]]
    result = []
    for config in configs:
        texts = [random_text(rng) for _ in range(14)] + ["", " ", "aab  ab\n", "1234567 x\n\n y  "]
        cases = [[text, [piece for piece, _ in config.pre_tokenize_str(text)]] for text in texts]
        result.append({"config": component(config), "cases": cases})
    return result


def character_map(rules):
    """A SentencePiece character map from (text, replacement) pairs: a double array with one unit for each byte."""
    replacements = bytearray()
    root = {}
    for source, target in rules:
        node = root
        for byte in source.encode():
            node = node.setdefault(byte, {})
        node[None] = len(replacements)
        replacements += target.encode() + b"\0"
    size = 1 << 16
    units = [0] * size
    used = [False] * size
    used[0] = True
    free = 256

    def place(position, node):
        nonlocal free
        labels = [label for label in node if label is not None]
        base = free - free % 256
        while True:
            slots = [base ^ label for label in labels] + ([base] if None in node else [])
            if base and not any(used[slot] for slot in slots):
                break
            base += 256
        offset = base ^ position
        # Offsets above 21 bits are shifted by 8 in the format; this small array never needs more than that.
        units[position] |= (offset << 10) if offset < 1 << 21 else (offset >> 8 << 10 | 1 << 9)
        if None in node:
            used[base] = True
            units[base] = node[None] | 1 << 31
            units[position] |= 1 << 8
        for label in labels:
            used[base ^ label] = True
            units[base ^ label] = label
        free = base + 256
        for label in labels:
            place(base ^ label, node[label])

    place(0, root)
    last = max(i for i in range(size) if used[i]) + 256
    last -= last % 256
    blob = struct.pack("<I", 4 * last) + struct.pack(f"<{last}I", *units[:last]) + bytes(replacements)
    return base64.b64encode(blob).decode()


def precompiled():
    rules = [("ﬁ", "fi"), ("①", "1"), ("\u00a0", " "), ("\u3000", " "), ("e\u0301", "é"), ("ｱ", "ア"), ("\x01", ""), ("\t", " "),
             ("\r", ""), ("Å", "Å"), ("\u200b", "")]
    return normalizers.Precompiled(base64.b64decode(character_map(rules)))


def normalizer_cases(rng):
    configs = [normalizers.NFC(), normalizers.NFD(), normalizers.NFKC(), normalizers.NFKD(), normalizers.Lowercase(),
               normalizers.StripAccents(), normalizers.Nmt(), normalizers.Strip(True, False), normalizers.Strip(False, True),
               normalizers.Strip(), normalizers.Prepend("▁"), normalizers.Replace(" ", "▁"), normalizers.Replace(Regex(r"\s+"), " "),
               normalizers.Replace(Regex(r"(?<=\p{L})\p{N}|'"), "<n>"), normalizers.ByteLevel(), precompiled()]
    configs += [normalizers.BertNormalizer(*flags) for flags in itertools.product([False, True], [False, True], [None, False, True],
                                                                                 [False, True])]
    configs += [normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]),
                normalizers.Sequence([normalizers.Strip(), normalizers.Replace(Regex(" {2,}"), " "), normalizers.NFKC()]),
                normalizers.Sequence([normalizers.NFC(), normalizers.ByteLevel()])]
    result = []
    for config in configs:
        texts = [random_text(rng) for _ in range(40)] + ["", "a\u0323\u0307", "\u1100\u1161\u11a8", "가\u11a8", "q\u0307\u0323x"]
        result.append({"config": component(config), "cases": [[text, config.normalize_str(text)] for text in texts]})
    return result


def decoder_cases(rng):
    tokens = ["▁Hello", "▁", "▁▁a", "lo", "##lo", "##", "<0xE4>", "<0xBD>", "<0xA0>", "<0x0A>", "<0xzz>", "Ġworld", "Ã©", "ðŁ", "ĺĢ", "é", " ",
              "a</w>", "</w>", "b", ".", ",", "'", "n't", "s", "'s", "do", "not", "<pad>", "|", "h", "h", "e", "  x ", "", "你好", "!"]
    configs = [decoders.ByteLevel(), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0), decoders.Strip("a", 1, 0),
               decoders.Replace("▁", " "), decoders.Replace(Regex(r"\s+"), "_"), decoders.WordPiece("##", True),
               decoders.WordPiece("##", False), decoders.BPEDecoder("</w>"), decoders.CTC(), decoders.CTC("<pad>", "|", False)]
    configs += [decoders.Metaspace("▁", s) for s in ["always", "first", "never"]]
    configs += [decoders.Sequence(list(steps)) for steps in [
        (decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)),
        (decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 3, 0)),
        (decoders.ByteFallback(), decoders.Metaspace("▁", "always")),
        (decoders.Fuse(), decoders.Replace("▁", " "), decoders.Metaspace("▁", "always")),
        (decoders.ByteFallback(), decoders.Fuse(), decoders.Replace("lo", "LO")),
        (decoders.Fuse(), decoders.WordPiece("##", True)), (decoders.WordPiece("##", True), decoders.Fuse()),
        (decoders.ByteLevel(), decoders.Strip(" ", 1, 0)),
    ]]
    result = []
    for config in configs:
        cases = []
        for _ in range(30):
            # Strip and BPEDecoder of the reference panic on empty input.
            chosen = [rng.choice(tokens) for _ in range(rng.randrange(1, 8))]
            cases.append([chosen, config.decode(chosen)])
        result.append({"config": component(config), "cases": cases})
    return result


# Whole tokenizers

SPECIALS = ["<|bos|>", "<|eos|>", "<|im_start|>", "<|im_start|>user"]


def trained(model, trainer, normalizer=None, pre_tokenizer=None, decoder=None):
    tokenizer = Tokenizer(model)
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre_tokenizer:
        tokenizer.pre_tokenizer = pre_tokenizer
    if decoder:
        tokenizer.decoder = decoder
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def byte_level(pattern, size=700, normalizer=None, **kwargs):
    split = [pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIALS, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    return trained(models.BPE(**kwargs), trainer, normalizer, pre_tokenizers.Sequence(split), decoders.ByteLevel())


def sentence_piece(pre_tokenizer, normalizer, decoder, **kwargs):
    bytes_ = [f"<0x{b:02X}>" for b in range(256)] if kwargs.get("byte_fallback") else []
    trainer = trainers.BpeTrainer(vocab_size=800, special_tokens=["<unk>", "<s>", "</s>", *bytes_], show_progress=False,
                                  limit_alphabet=60)
    tokenizer = trained(models.BPE(unk_token="<unk>", **kwargs), trainer, normalizer, pre_tokenizer, decoder)
    data = json.loads(tokenizer.to_str())
    data["added_tokens"] = [t for t in data["added_tokens"] if not t["content"].startswith("<0x")]
    return Tokenizer.from_str(json.dumps(data))


def template(single, *tokens):
    return processors.TemplateProcessing(single=single, special_tokens=list(tokens))


def whole_tokenizers():
    spm_decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    spm_normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])

    gpt2 = trained(models.BPE(), trainers.BpeTrainer(vocab_size=700, special_tokens=SPECIALS, show_progress=False,
                                                     initial_alphabet=pre_tokenizers.ByteLevel.alphabet()),
                   pre_tokenizer=pre_tokenizers.ByteLevel(False), decoder=decoders.ByteLevel())
    prefixed = trained(models.BPE(), trainers.BpeTrainer(vocab_size=600, special_tokens=SPECIALS, show_progress=False),
                       pre_tokenizer=pre_tokenizers.ByteLevel(True), decoder=decoders.ByteLevel())
    llama3 = byte_level(LLAMA3, ignore_merges=True)
    llama3.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False),
                                                 template("<|bos|> $A <|eos|>", ("<|bos|>", 0), ("<|eos|>", 1))])
    qwen2 = byte_level(QWEN2, normalizer=normalizers.NFC())
    o200k = byte_level(O200K)
    normalized_bytes = trained(models.BPE(), trainers.BpeTrainer(vocab_size=500, show_progress=False),
                               normalizer=normalizers.Sequence([normalizers.NFC(), normalizers.ByteLevel()]),
                               pre_tokenizer=pre_tokenizers.Split("Ġ", "merged_with_next"), decoder=decoders.ByteLevel())
    normalized_bytes.add_tokens([AddedToken("héllo", normalized=True), AddedToken("<x y>", normalized=True), AddedToken("world", single_word=True),
                                 AddedToken("foo", rstrip=True, lstrip=True)])

    llama2 = sentence_piece(None, spm_normalizer, spm_decoder, byte_fallback=True, fuse_unk=True)
    llama2.post_processor = template("<s> $A", ("<s>", 1))
    gemma = sentence_piece(pre_tokenizers.Split(" ", "merged_with_previous"), normalizers.Replace(" ", "▁"),
                           decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]), byte_fallback=True)
    metaspace = sentence_piece(pre_tokenizers.Metaspace("▁", "first", False), None, decoders.Metaspace("▁", "first"), fuse_unk=True)
    no_fuse = sentence_piece(pre_tokenizers.Metaspace("▁", "always", True), None, decoders.Metaspace("▁", "always"))
    for tokenizer in (metaspace, no_fuse):
        tokenizer.add_special_tokens([AddedToken("<left>", lstrip=True), AddedToken("<right>", rstrip=True),
                                      AddedToken("<both>", lstrip=True, rstrip=True), "<s>"])

    affixes = trained(models.BPE(unk_token="[UNK]", continuing_subword_prefix="##", end_of_word_suffix="</w>"),
                      trainers.BpeTrainer(vocab_size=500, special_tokens=["[UNK]"], show_progress=False, continuing_subword_prefix="##",
                                          end_of_word_suffix="</w>", limit_alphabet=50),
                      normalizers.Lowercase(), pre_tokenizers.Whitespace(), decoders.BPEDecoder("</w>"))
    unigram_trainer = dict(vocab_size=400, unk_token="<unk>", special_tokens=["<unk>", "<s>", "</s>"], show_progress=False)
    unigram = trained(models.Unigram(), trainers.UnigramTrainer(**unigram_trainer),
                      normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]),
                      pre_tokenizers.Metaspace("▁", "always"), decoders.Metaspace("▁", "always"))
    unigram.post_processor = template("$A </s>", ("</s>", 2))
    data = json.loads(unigram.to_str())
    data["model"]["byte_fallback"] = True
    data["model"]["vocab"] += [[f"<0x{b:02X}>", -20.0] for b in range(256)]
    data["decoder"] = component(spm_decoder)
    data["normalizer"] = component(precompiled())
    unigram_bytes = Tokenizer.from_str(json.dumps(data))

    bert = trained(models.WordPiece(unk_token="[UNK]"),
                   trainers.WordPieceTrainer(vocab_size=500, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False),
                   normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer(), decoders.WordPiece())
    bert.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    word_level = trained(models.WordLevel(unk_token="[UNK]"), trainers.WordLevelTrainer(vocab_size=90, special_tokens=["[UNK]"], show_progress=False),
                         pre_tokenizer=pre_tokenizers.WhitespaceSplit())
    word_level.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 2))

    flags = byte_level(GPT2, 500, normalizers.Lowercase())
    flags.add_tokens([AddedToken("Yesterday", normalized=True), AddedToken("FOO", normalized=False), AddedToken("single", single_word=True),
                      AddedToken(" lead", normalized=False), AddedToken("foobar", normalized=False), AddedToken("õ"), AddedToken("strip", lstrip=True,
                      rstrip=True, single_word=True, normalized=False)])
    flags.add_special_tokens([AddedToken("<L>", lstrip=True), AddedToken("<R>", rstrip=True), AddedToken("<B>", lstrip=True, rstrip=True),
                              AddedToken("<W>", single_word=True), AddedToken("<N>", normalized=True)])
    return {
        "gpt2": gpt2, "prefix-space": prefixed, "llama3": llama3, "qwen2": qwen2, "o200k": o200k, "byte-normalizer": normalized_bytes,
        "llama2": llama2, "gemma": gemma, "metaspace-first": metaspace, "metaspace-no-fuse": no_fuse, "affixes": affixes,
        "unigram": unigram, "unigram-bytes": unigram_bytes, "bert": bert, "word-level": word_level, "added-token-flags": flags,
    }


def tokenizer_cases(rng, tokenizer, count):
    specials = [t["content"] for t in json.loads(tokenizer.to_str())["added_tokens"]]
    pieces = sorted(tokenizer.get_vocab(with_added_tokens=False))
    cases = []
    for number in range(count):
        text = random_text(rng, specials, pieces)
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        full = tokenizer.encode(text).ids
        case = {"text": text, "ids": ids}
        if full != ids:
            case["full"] = full
        chosen = ids
        if number % 3 == 0:
            chosen = [rng.randrange(tokenizer.get_vocab_size()) for _ in range(rng.choice([1, 2, 4, 9]))]
            case["decoded_ids"] = chosen
        if chosen:
            case["decoded"] = tokenizer.decode(chosen, skip_special_tokens=False)
            case["skipped"] = tokenizer.decode(chosen, skip_special_tokens=True) if keeps_some(tokenizer, chosen) else ""
        cases.append(case)
    return cases


def keeps_some(tokenizer, ids):
    """The reference panics in BPEDecoder when nothing is left to decode."""
    special = {t["id"] for t in json.loads(tokenizer.to_str())["added_tokens"] if t["special"]}
    return any(i not in special for i in ids)


def write(folder, name, value):
    with open(os.path.join(folder, name), "w") as file:
        json.dump(value, file, ensure_ascii=True, separators=(",", ":"))
        file.write("\n")


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    write(folder, "pre_tokenizers.json", pre_tokenizer_cases(random.Random(11)))
    write(folder, "normalizers.json", normalizer_cases(random.Random(12)))
    write(folder, "decoders.json", decoder_cases(random.Random(13)))
    for number, (name, tokenizer) in enumerate(whole_tokenizers().items()):
        data = json.loads(tokenizer.to_str())
        write(folder, f"{name}.tokenizer.json", data)
        write(folder, f"{name}.cases.json", tokenizer_cases(random.Random(100 + number), tokenizer, 70))


main()

"""Recompute the reference values of golden.json from a model folder as it is loaded, in float32.

usage: recompute.py MODEL_FOLDER DRAFT_FOLDER GOLDEN_JSON TEST64_JSONL

The prompts and ids in GOLDEN_JSON are kept, everything computed from them is written anew. The models are read back from
their files, because a model that was cast to bfloat16 while it was trained keeps rotary frequencies rounded to bfloat16
when it is cast back, and those no reader of the files sees. Written for transformers 5.17 and torch 2.11; no network.
"""
import json
import math
import sys

import torch
import torch.nn.functional as F
import transformers
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

MOST_NEW, MAX_LEN = 64, 2048


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


@torch.no_grad()
def logits_of(model, ids):
    x = torch.tensor([ids])
    return model(input_ids=x, attention_mask=torch.ones_like(x), use_cache=False).logits[0].float()


def greedy(model, ids, stop):
    """Without a cache: slower, and nothing but the forward pass is trusted."""
    out, gap = [], float("inf")
    while len(out) < MOST_NEW and (not out or out[-1] not in stop):
        two = torch.topk(logits_of(model, ids + out)[-1], 2)
        gap = min(gap, (two.values[0] - two.values[1]).item())
        out.append(int(two.indices[0]))
    return out, gap


def nll_of(logits, ids):
    return F.cross_entropy(logits[:-1], torch.tensor(ids[1:]), reduction="sum").item() if len(ids) > 1 else 0.0


def main(model_folder, draft_folder, golden_path, test64_path):
    model, draft = load(model_folder), load(draft_folder)
    stop = json.load(open(f"{model_folder}/generation_config.json"))["eos_token_id"]
    tok = Tokenizer.from_file(f"{model_folder}/tokenizer.json")
    golden = json.load(open(golden_path))
    for case in golden["cases"]:
        logits = logits_of(model, case["ids"])
        top = torch.topk(logits[-1], 20)
        case["last_logits_top20"] = {"ids": top.indices.tolist(), "values": top.values.tolist()}
        case["nll_sum"] = nll_of(logits, case["ids"])
        case["draft_last_argmax"] = int(logits_of(draft, case["ids"])[-1].argmax())
        case["greedy_ids"], case["greedy_gap"] = greedy(model, case["ids"], stop)
        case["greedy_text"] = tok.decode(case["greedy_ids"], skip_special_tokens=False)
    total = count = agree = 0
    for line in open(test64_path):
        ids = tok.encode(json.loads(line)["text"], add_special_tokens=False).ids[:MAX_LEN]
        a, b = logits_of(model, ids), logits_of(draft, ids)
        total, count = total + nll_of(a, ids), count + len(ids) - 1
        agree += (a.argmax(-1) == b.argmax(-1)).sum().item()
    golden["reference"] = f"transformers {transformers.__version__}, weights as stored (bfloat16), arithmetic float32"
    golden["test64"] = {"perplexity": math.exp(total / count), "tokens": count, "draft_agreement": agree / (count + 64)}
    json.dump(golden, open(golden_path, "w"), ensure_ascii=False, indent=1)
    print(golden["test64"], [round(c["greedy_gap"], 4) for c in golden["cases"]])


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit("usage: recompute.py MODEL_FOLDER DRAFT_FOLDER GOLDEN_JSON TEST64_JSONL")
    torch.set_num_threads(8)
    main(*sys.argv[1:])

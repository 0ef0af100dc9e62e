"""Write tiny random checkpoints of every served family, and what transformers computes from them in float32.

usage: make.py OUT_DIR

Each OUT_DIR/NAME/ receives config.json, the weights as safetensors (under 200 KB) and golden.json:
{"reference", "cases": [{"ids", "last_logits_top20": {"ids", "values"}, "nll_sum", "greedy_ids", "greedy_gap"}]}.
The weights are drawn so that logits differ clearly: of several seeds the one is kept whose greedy continuations have
the largest least gap between the best and the second best logit ("greedy_gap"), so that a correct implementation with
other rounding still finds the same tokens. Written for transformers 5.17 and torch 2.11; needs no network.
"""
import json
import math
import os
import shutil
import sys

import torch
import torch.nn.functional as F
import transformers
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

VOCAB = 256
GREEDY = 24
SEEDS = 48
PROMPT_LENGTHS = (7, 40)

COMMON = dict(vocab_size=VOCAB, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
              num_key_value_heads=2, max_position_embeddings=256, rms_norm_eps=1e-5, bos_token_id=0, eos_token_id=1,
              pad_token_id=0, hidden_act="silu")


def plain(theta=10000.0):
    return {"rope_type": "default", "rope_theta": theta}


def spec(config, dtype, shard=None, **fields):
    return {"config": lambda: config(**{**COMMON, **fields}), "dtype": dtype, "shard": shard}


MODELS = {
    "llama-llama3-untied": spec(
        LlamaConfig, torch.bfloat16, head_dim=16, tie_word_embeddings=False,
        rope_parameters={"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0,
                         "high_freq_factor": 4.0, "original_max_position_embeddings": 32}),
    "llama-linear-bias-f32": spec(
        LlamaConfig, torch.float32, hidden_size=32, intermediate_size=64, head_dim=16, tie_word_embeddings=True,
        attention_bias=True, mlp_bias=True,
        rope_parameters={"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}),
    "llama-yarn-sharded-f16": spec(
        LlamaConfig, torch.float16, shard="60KB", head_dim=16, tie_word_embeddings=True,
        rope_parameters={"rope_type": "yarn", "rope_theta": 1000.0, "factor": 4.0,
                         "original_max_position_embeddings": 64}),
    "mistral-window-untied": spec(
        MistralConfig, torch.bfloat16, head_dim=16, tie_word_embeddings=False, sliding_window=8,
        rope_parameters=plain()),
    "qwen2-bias-window": spec(
        Qwen2Config, torch.bfloat16, tie_word_embeddings=True, use_sliding_window=True, sliding_window=8,
        max_window_layers=1, rope_parameters=plain(1000000.0)),
    "qwen3-norm": spec(
        Qwen3Config, torch.bfloat16, head_dim=32, intermediate_size=80, tie_word_embeddings=True,
        rope_parameters=plain(1000000.0)),
    "qwen3-yarn-mha": spec(
        Qwen3Config, torch.bfloat16, head_dim=16, num_key_value_heads=4, tie_word_embeddings=True,
        rope_parameters={"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0,
                         "original_max_position_embeddings": 64}),
}


@torch.no_grad()
def draw(model, seed):
    """Fill every parameter so that activations stay of order one and logits spread over several units."""
    g = torch.Generator().manual_seed(seed)
    for name, p in sorted(model.named_parameters()):
        x = torch.randn(p.shape, generator=g, dtype=torch.float32)
        if name.endswith("bias"):
            x = 0.3 * x
        elif "norm" in name:
            x = 1.0 + 0.2 * x
        elif "embed_tokens" in name:
            x = 0.5 * x
        elif "lm_head" in name:
            x = x * 4.0 / math.sqrt(p.shape[-1])
        else:
            x = x * 1.5 / math.sqrt(p.shape[-1])
        p.copy_(x)


def prompts(seed):
    g = torch.Generator().manual_seed(seed)
    return [torch.randint(2, VOCAB, (n,), generator=g).tolist() for n in PROMPT_LENGTHS]


@torch.no_grad()
def logits_of(model, ids):
    x = torch.tensor([ids])
    return model(input_ids=x, attention_mask=torch.ones_like(x), use_cache=False).logits[0].float()


def case_of(model, ids):
    logits = logits_of(model, ids)
    top = torch.topk(logits[-1], 20)
    nll = F.cross_entropy(logits[:-1], torch.tensor(ids[1:]), reduction="sum").item()
    greedy, gap, last = [], float("inf"), logits[-1]
    for _ in range(GREEDY):
        two = torch.topk(last, 2)
        gap = min(gap, (two.values[0] - two.values[1]).item())
        greedy.append(int(two.indices[0]))
        last = logits_of(model, ids + greedy)[-1]
    return {"ids": ids, "last_logits_top20": {"ids": top.indices.tolist(), "values": top.values.tolist()},
            "nll_sum": nll, "greedy_ids": greedy, "greedy_gap": gap}


def fresh(entry, seed):
    """A model whose weights are exactly what its file will hold."""
    model = AutoModelForCausalLM.from_config(entry["config"](), attn_implementation="eager").float().eval()
    draw(model, seed)
    return model.to(entry["dtype"])


def gap_of(entry, seed):
    model = fresh(entry, seed).float()
    return min(case_of(model, ids)["greedy_gap"] for ids in prompts(1000))


def write(name, entry, out):
    folder = os.path.join(out, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    first = 100 * (1 + list(MODELS).index(name))
    seed = max(range(first, first + SEEDS), key=lambda s: gap_of(entry, s))
    model = fresh(entry, seed)
    model.save_pretrained(folder, **({"max_shard_size": entry["shard"]} if entry["shard"] else {}))
    # What is compared with is read back from the files: the reference sees nothing that a reader of them does not.
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    cases = [case_of(model, ids) for ids in prompts(1000)]
    golden = {"reference": f"transformers {transformers.__version__} {type(model).__name__}, weights as stored, "
                           "arithmetic float32", "seed": seed, "cases": cases}
    with open(os.path.join(folder, "golden.json"), "w") as f:
        json.dump(golden, f, indent=1)
    files = {f: os.path.getsize(os.path.join(folder, f)) for f in sorted(os.listdir(folder))}
    print(name, "seed", seed, "gap", round(min(c["greedy_gap"] for c in cases), 4), files, flush=True)
    weights = sum(n for f, n in files.items() if f.endswith(".safetensors"))
    assert weights < 200_000, f"{name}: {weights} bytes of weights"
    assert (len([f for f in files if f.endswith(".safetensors")]) > 1) == bool(entry["shard"]), f"{name}: shards"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: make.py OUT_DIR")
    torch.set_num_threads(4)
    torch.use_deterministic_algorithms(True)
    for each, how in MODELS.items():
        write(each, how, sys.argv[1])

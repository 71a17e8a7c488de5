"""Makes the fixtures of this folder: tiny random causal models of the layouts that people use, and what
transformers and PEFT compute with them.

    pip install torch==2.15.0 transformers==5.24.0 peft==0.21.2 safetensors
    python make.py [FOLDER [SEED]]

Every number is computed on one thread in 32-bit floats. README.md says what is in the files.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM
from transformers import LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

VOCABULARY = 96
LENGTHS = [17, 5, 40]
WEIGHTS = [1.0, -0.5, 0.25]
NEW_TOKENS = 16
STEPS = 3
RATE = 3e-3
RANK, ALPHA = 3, 6
ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

COMMON = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 56,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def rope(kind, **more):
    return {"rope_type": kind, "rope_theta": 10000.0, **more}


# Name, class of the configuration, its keys, whether the file takes the older form, matrices with adapters.
CASES = [
    ("llama_tied", LlamaConfig, {"tie_word_embeddings": True, "rope_parameters": rope("default")}, False, ALL),
    ("llama_linear", LlamaConfig, {"num_key_value_heads": 4, "rope_parameters": rope("linear", factor=2.0)}, True, ["q_proj", "v_proj"]),
    (
        "llama3",
        LlamaConfig,
        {
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 64,
            "tie_word_embeddings": True,
            "rope_parameters": rope(
                "llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=24
            ),
        },
        True,
        ["q_proj", "o_proj", "down_proj"],
    ),
    (
        "llama_yarn_biases",
        LlamaConfig,
        {
            "attention_bias": True,
            "mlp_bias": True,
            "rope_parameters": rope("yarn", factor=4.0, original_max_position_embeddings=16),
        },
        False,
        ALL,
    ),
    ("qwen2", Qwen2Config, {"tie_word_embeddings": True, "rope_parameters": rope("default")}, True, ALL),
    ("qwen3", Qwen3Config, {"head_dim": 16, "tie_word_embeddings": True, "rope_parameters": rope("default")}, False, ALL),
    ("mistral", MistralConfig, {"sliding_window": None, "rope_parameters": rope("default")}, False, ALL),
]


def older_form(path):
    """Rewrites a configuration as transformers 4 wrote it."""
    config = json.loads(path.read_text())
    parameters = config.pop("rope_parameters")
    config["rope_theta"] = parameters.pop("rope_theta")
    config["rope_scaling"] = None if parameters["rope_type"] == "default" else parameters
    config["torch_dtype"] = config.pop("dtype", "float32")
    path.write_text(json.dumps(config, indent=2) + "\n")


def fresh(kind, keys):
    model = AutoModelForCausalLM.from_config(kind(**{**COMMON, **keys}), dtype=torch.float32)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            # Wide enough that a wrong rotation, norm or bias shows in every score.
            if "norm" in name:
                weight.copy_(1.0 + 0.3 * torch.randn_like(weight))
            else:
                weight.normal_(0.0, 0.25 if weight.dim() == 2 else 0.2)
    return model.eval()


def log_probs(logits, ids):
    return torch.log_softmax(logits[:-1], -1).gather(1, ids[1:, None])[:, 0]


def scores(model, ids):
    return model(ids[None]).logits[0]


def greedy(model, ids):
    text = ids.clone()
    for _ in range(NEW_TOKENS):
        text = torch.cat([text, scores(model, text)[-1].argmax()[None]])
    return text[len(ids) :]


def loss_of(model, texts):
    return sum(-weight * log_probs(scores(model, ids), ids).sum() / len(ids) for ids, weight in zip(texts, WEIGHTS))


def case(folder, name, kind, keys, older, targets):
    place = folder / name
    model = fresh(kind, keys)
    shard = "20KB" if name in ("llama_linear", "mistral") else "10GB"
    model.save_pretrained(place, max_shard_size=shard)
    if older:
        older_form(place / "config.json")
    texts = [torch.randint(3, VOCABULARY, (length,)) for length in LENGTHS]
    tensors = {}
    with torch.no_grad():
        for i, ids in enumerate(texts):
            tensors[f"ids.{i}"] = ids
            tensors[f"logits.{i}"] = scores(model, ids)
            tensors[f"log_prob.{i}"] = log_probs(tensors[f"logits.{i}"], ids)
            tensors[f"greedy.{i}"] = greedy(model, ids)
    config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=targets, task_type="CAUSAL_LM")
    adapted = get_peft_model(model, config)
    trained = {name: weight for name, weight in adapted.named_parameters() if weight.requires_grad}
    with torch.no_grad():
        for weight in trained.values():
            weight.normal_(0.0, 0.2)
    adapted.save_pretrained(place / "adapter")
    config = json.loads((place / "adapter/adapter_config.json").read_text())
    config["base_model_name_or_path"] = ".."
    # A set, in no order.
    config["target_modules"] = targets
    (place / "adapter/adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
    (place / "adapter/README.md").unlink(missing_ok=True)
    with torch.no_grad():
        for i, ids in enumerate(texts):
            tensors[f"lora.logits.{i}"] = scores(adapted, ids)
    optimiser = torch.optim.Adam(trained.values(), lr=RATE)
    losses = []
    for step in range(STEPS):
        optimiser.zero_grad()
        loss = loss_of(adapted, texts)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            for weight, value in trained.items():
                tensors["grad." + weight.replace(".default", "")] = value.grad.clone()
        optimiser.step()
    for weight, value in trained.items():
        tensors["after." + weight.replace(".default", "")] = value.detach().clone()
    with torch.no_grad():
        tensors["merged.logits.0"] = scores(adapted.merge_and_unload(), texts[0])
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, place / "expected.safetensors")
    return {"losses": losses, "weights": WEIGHTS, "adam": {"lr": RATE, "betas": [0.9, 0.999], "eps": 1e-8}}


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    cases = {}
    for name, *rest in CASES:
        shutil.rmtree(folder / name, ignore_errors=True)
        cases[name] = case(folder, name, *rest)
    (folder / "meta.json").write_text(json.dumps({"seed": seed, "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()

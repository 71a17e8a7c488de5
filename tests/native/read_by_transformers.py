"""What Python's transformers makes of model folders: tokens, and the text that follows greedily.

Reads a JSON object from standard input, {"folders": [...], "texts": [...], "continue": [...]}, and prints
one for each folder: the ids of each text by AutoTokenizer, whether the critic is refused by name, and where
PyTorch is there what the model writes after each text to be continued.
"""

import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

from transformers import AutoConfig, AutoTokenizer  # noqa: E402

try:
    import torch
    from transformers import AutoModelForCausalLM
except ImportError:
    torch = None


def critic(folder):
    """What AutoConfig says of the critic of a folder, and its tokens; None where there is no critic."""
    folder = os.path.join(folder, "critic")
    if not os.path.isdir(folder):
        return None
    try:
        loaded = AutoConfig.from_pretrained(folder)
        return {"refused": None, "loaded": type(loaded).__name__}
    except (ValueError, KeyError) as error:
        return {"refused": str(error)}


def continued(folder, tokenizer, texts):
    if torch is None:
        return None
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    written = []
    for text in texts:
        ids = tokenizer(text, return_tensors="pt")
        out = model.generate(**ids)
        new = out[0, ids["input_ids"].shape[1]:]
        written.append(tokenizer.decode(new, skip_special_tokens=True))
    return written


def main():
    asked = json.load(sys.stdin)
    for folder in asked["folders"]:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        told = {
            "ids": [tokenizer(text)["input_ids"] for text in asked["texts"]],
            "class": type(tokenizer).__name__,
            "critic": critic(folder),
            "continued": continued(folder, tokenizer, asked["continue"]),
        }
        print(json.dumps(told), flush=True)


main()

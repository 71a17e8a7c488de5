"""What transformers and PEFT take for the cases decode, decode_batch and lora_step of `archer bench`.

    pip install torch==2.15.0 transformers==5.24.0 peft==0.21.2
    python bench/language_models.py --model DIR --case decode --threads 2

`--gguf FILE` times llama.cpp instead, for decode alone (pip install llama-cpp-python==0.3.36; bench/q8_gguf.py
makes a file of 8 bits).

The shapes are those of crates/cli/src/bench/language.rs. One JSON object is printed: the median of some runs
after one that is not timed, and the largest memory that the process held.
"""

import argparse
import json
import resource
import statistics
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM


def decode(model, vocabulary):
    """Tokens a second of one text, reading its prompt aside."""
    ids = torch.randint(0, vocabulary, (1, 32))
    with torch.inference_mode():
        out = model(ids, use_cache=True)
        token = out.logits[:, -1:].argmax(-1)
        begin = time.perf_counter()
        for _ in range(64):
            out = model(token, past_key_values=out.past_key_values, use_cache=True)
            token = out.logits[:, -1:].argmax(-1)
        return 64 / (time.perf_counter() - begin)


def decode_batch(model, vocabulary):
    """Tokens a second of 32 texts, reading their prompts included."""
    ids = torch.randint(0, vocabulary, (32, 64))
    begin = time.perf_counter()
    with torch.inference_mode():
        out = model(ids, use_cache=True, logits_to_keep=1)
        token = out.logits[:, -1:].argmax(-1)
        for _ in range(15):
            out = model(token, past_key_values=out.past_key_values, use_cache=True)
            token = out.logits[:, -1:].argmax(-1)
    return 32 * 16 / (time.perf_counter() - begin)


def lora_step(model, vocabulary):
    """Seconds of a gradient step of adapters."""
    ids = torch.randint(0, vocabulary, (8, 128))
    optimiser = model.optimiser
    begin = time.perf_counter()
    optimiser.zero_grad()
    log_probs = model(ids).logits[:, :-1].log_softmax(-1).gather(2, ids[:, 1:, None])
    (-log_probs.sum(1).mean()).backward()
    optimiser.step()
    return time.perf_counter() - begin


def llama_cpp(file, threads, runs):
    """Tokens a second of one text by llama.cpp, reading its prompt aside."""
    from llama_cpp import Llama

    model = Llama(file, n_ctx=256, n_threads=threads, n_threads_batch=threads, verbose=False)
    rates = []
    for _ in range(runs + 1):
        model.reset()
        model.eval(list(range(100, 132)))
        begin = time.perf_counter()
        for token in range(200, 264):
            model.eval([token])
        rates.append(64 / (time.perf_counter() - begin))
    return statistics.median(rates[1:])


CASES = {"decode": (decode, "tokens/s"), "decode_batch": (decode_batch, "tokens/s"), "lora_step": (lora_step, "s")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model")
    parser.add_argument("--gguf")
    parser.add_argument("--case", required=True, choices=CASES)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    if args.gguf:
        show(args.case, llama_cpp(args.gguf, args.threads, args.runs), "tokens/s")
        return
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32).eval()
    vocabulary = model.config.vocab_size
    if args.case == "lora_step":
        config = LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"])
        model = get_peft_model(model, config).train()
        model.optimiser = torch.optim.Adam([w for w in model.parameters() if w.requires_grad], lr=1e-4)
    case, unit = CASES[args.case]
    case(model, vocabulary)
    median = statistics.median(case(model, vocabulary) for _ in range(args.runs))
    show(args.case, median, unit)


def show(case, median, unit):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"case": case, "median": median, "unit": unit, "peak_mib": round(peak)}))


if __name__ == "__main__":
    main()

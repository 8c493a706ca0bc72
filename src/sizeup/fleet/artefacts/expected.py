"""What the server's log should say, as lines that `sizeup verify` reads: where they differ, so does the plan from what happened."""

from __future__ import annotations

from ...engines.vllm.peak import batch
from ...figure import plain
from ...plan import Claim, ServingBreakdown
from .wanted import Wanted

GIB, MIB = 1 << 30, 1 << 20
STAMP = "INFO 01-01 00:00:00 [plan] "
"""In the place of vLLM's time and file: how a line begins tells that it was not broken off the one before."""


def lines(found: Wanted) -> list[str]:
    """The lines, in the order in which the server prints them; none of times and places."""
    return {"vllm": _vllm, "sglang": _sglang, "llama.cpp": _llamacpp}[found.engine](found)


def _claims(found: Wanted, part: str) -> list[Claim]:
    return [claim for claim in found.plan.breakdown.claims if claim.part == part]


def _gib(claim: Claim) -> str:
    return f"{int(plain(claim.bytes)) / GIB:.2f}"


def _rank(claim: Claim) -> str:
    return claim.pool.partition(":")[2]


def _vllm(found: Wanted) -> list[str]:
    plan, settings = found.plan, found.plan.settings
    tensor, stages = int(plain(settings.tensor_parallel)), int(plain(settings.pipeline_parallel))
    told: dict[str, object] = {
        "model": found.words()[2],
        "max_model_len": int(plain(settings.length)),
        "tensor_parallel_size": tensor,
    }
    told |= {"pipeline_parallel_size": stages, "kv_cache_dtype": settings.kv_cache_dtype}
    words = found.words()
    if "--quantization" in words:
        told["quantization"] = words[words.index("--quantization") + 1]
    for name, value in (("kv_cache_memory_bytes", settings.kv_cache_bytes), ("max_num_seqs", settings.max_num_seqs)):
        if value is not None:
            told[name] = int(plain(value))
    said = [f"{STAMP}vLLM API server version {found.version}", f"{STAMP}non-default args: {told}"]
    said.append(f"{STAMP}Chunked prefill is enabled with max_num_batched_tokens={batch(settings)[0]}.")
    for claim in _claims(found, "weights"):
        rank = int(_rank(claim))
        stage = f"PP{rank // tensor}_" if stages > 1 else ""
        name = f"(Worker_{stage}TP{rank % tensor}) " if settings.ranks > 1 else ""
        said.append(f"{name}{STAMP}Model loading took {_gib(claim)} GiB memory")
    pool = plan.breakdown.pool if isinstance(plan.breakdown, ServingBreakdown) else None
    if pool is not None:
        said.append(f"{STAMP}GPU KV cache size: {pool.printed_tokens:,} tokens")
        said.append(f"{STAMP}Maximum concurrency for {int(plain(pool.request_tokens)):,} tokens per request: {pool.max_concurrency:.2f}x")
    return said


def _sglang(found: Wanted) -> list[str]:
    plan, settings = found.plan, found.plan.settings
    words = found.words()
    told = [
        f"model_path='{words[words.index('--model-path') + 1]}'",
        f"context_length={int(plain(settings.length))}",
        f"tp_size={int(plain(settings.tensor_parallel))}",
    ]
    told += [
        f"pp_size={int(plain(settings.pipeline_parallel))}",
        f"kv_cache_dtype='{settings.kv_cache_dtype}'",
        f"page_size={int(plain(settings.page_size))}",
    ]
    if "--quantization" in words:
        told.append(f"quantization='{words[words.index('--quantization') + 1]}'")
    said = [f"sglang=={found.version}", f"server_args=ServerArgs({', '.join(told)})"]
    said += [f"[2000-01-01 00:00:00 TP{_rank(claim)}] Load weight end. mem usage={_gib(claim)} GB." for claim in _claims(found, "weights")]
    pool = plan.breakdown.pool if isinstance(plan.breakdown, ServingBreakdown) else None
    if pool is not None:
        for claim in _claims(found, "cache"):
            said.append(
                f"[2000-01-01 00:00:00 TP{_rank(claim)}] KV Cache is allocated. #tokens: {pool.printed_tokens}, KV size: {_gib(claim)} GB"
            )
    return said


KINDS = {"cuda": "CUDA", "rocm": "ROCm", "vulkan": "Vulkan", "sycl": "SYCL", "metal": "MTL"}


def _llamacpp(found: Wanted) -> list[str]:
    settings = found.plan.settings
    file = found.words()[2]
    said = [f"load_model: loading model '{file}'"]
    said += [
        f"llama_context: {name} = {int(plain(value))}"
        for name, value in (
            ("n_seq_max", settings.sequences),
            ("n_ctx", settings.context_tokens),
            ("n_batch", settings.batch_tokens),
            ("n_ubatch", settings.micro_batch_tokens),
        )
    ]
    for part, words in (
        ("weights", "load_tensors: {} model buffer size = {}"),
        ("cache", "llama_kv_cache: {} KV buffer size = {}"),
        ("compute", "sched_reserve: {} compute buffer size = {}"),
    ):
        for claim in _claims(found, part):
            name = f"{KINDS.get(found.kind, 'CUDA')}{_rank(claim)}" if claim.pool.startswith("vram") else "CPU"
            said.append(words.format(name, f"{int(plain(claim.bytes)) / MIB:.2f} MiB"))
    return said

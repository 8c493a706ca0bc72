"""Emitted configurations: exactly the plan's settings, in words that each tool knows, and what it cannot say is said."""

from __future__ import annotations

import ast
import json
import re
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import sizeup as package
from sizeup.errors import UserError
from sizeup.facts import data_json
from sizeup.readers.config import spec_from_config
from sizeup.training.emit import TOOLS, emit, write
from sizeup.training.emit.wanted import Emitted
from sizeup.training.parallel import Split
from sizeup.training.planned import TrainingPlan, plan_of
from tests.program import Run

CONFIGS = json.loads((Path(__file__).parent / "data" / "train_configs.json").read_text())
FACTS = data_json("training_tools.json")
MODELS = {name: spec_from_config(CONFIGS[name], f"meta-llama/{name}") for name in ("Llama-3.1-8B", "Llama-3.2-1B")}


def plan(model: str = "Llama-3.1-8B", **settings: Any) -> TrainingPlan:
    """The plan of one account."""
    return plan_of(package.train(MODELS[model], **{"machine": "8x h100 sxm", "loss": "trl", **settings}))


PLANS = {
    "full": plan("Llama-3.2-1B", method="full", dtype="amp", accumulate=True),
    "full fp32, SGD": plan("Llama-3.2-1B", method="full", dtype="fp32", optimizer="sgd", checkpointing=False),
    "full over 8, ZeRO 1": plan(method="full", dtype="bf16-master", split=Split(data=8, zero=1)),
    "full bf16 over 8, ZeRO 2": plan(method="full", dtype="bf16", split=Split(data=8, zero=2)),
    "full over 8, ZeRO 3, to the host": plan(
        method="full", dtype="bf16-master", split=Split(data=8, zero=3, offload="cpu"), accumulate=True
    ),
    "full over 8, ZeRO 3, to a disk": plan(method="full", dtype="bf16-master", split=Split(data=8, zero=3, offload="nvme")),
    "lora": plan(method="lora", dtype="amp", rank=32, dropout=0.05, micro_batch=4),
    "lora in 16 bits": plan(method="lora", dtype="bf16", adapter_dtype="base", targets="attn"),
    "dora": plan(method="dora", dtype="amp", targets="q_proj,v_proj"),
    "rslora over 8": plan(method="rslora", dtype="amp", split=Split(data=8)),
    "qlora": plan(method="qlora", dtype="amp", kbit_prep=False, adapter_dtype="base", optimizer="paged-adamw8bit", accumulate=True),
    "qlora prepared": plan(method="qlora", dtype="amp", double_quant=False, checkpointing=False),
    "qlora on Turing": plan(method="qlora", dtype="amp", kbit_prep=False, machine="t4"),
    "8-bit base": plan(method="lora8bit", dtype="amp", loss="hf"),
}


def emitted(tool: str) -> list[tuple[str, TrainingPlan, Emitted]]:
    """Every plan that the tool has a way for."""
    found = []
    for name, each in PLANS.items():
        try:
            found.append((name, each, emit(each, tool)))
        except UserError as error:
            assert error.hint, (tool, name)  # noqa: PT017
    return found


def words(text: str) -> set[str]:
    """Keys of a YAML file that this package wrote."""
    return set(re.findall(r"^\s*(?:- )?([A-Za-z_0-9]+):", re.sub(r"^#.*$", "", text, flags=re.MULTILINE), re.MULTILINE))


def calls(text: str) -> dict[str, dict[str, Any]]:
    """Keyword arguments of every call in a script; what is not a constant stays as it is written."""
    found: dict[str, dict[str, Any]] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and node.keywords:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            found[name] = {word.arg or "": value(word.value) for word in node.keywords}
    return found


def value(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def keys(content: Any) -> set[str]:
    """All keys of a nested document."""
    if isinstance(content, list):
        return {key for item in content for key in keys(item)}
    return {key for name, item in content.items() for key in ({name} | keys(item))} if isinstance(content, dict) else set()


@pytest.mark.parametrize("tool", TOOLS)
def test_every_word_is_the_tools_own(tool: str) -> None:
    """No setting is written that the tool's schema does not have, and most plans can be written for most tools."""
    known = set(FACTS["tools"]["accelerate" if tool == "fsdp" else tool]["keys"])
    found = emitted(tool)
    assert len(found) >= {"fsdp": 4, "torchtune": 6, "unsloth": 5}.get(tool, 10)
    for name, _, files in found:
        for file, text in files.files.items():
            if file.endswith(".json"):
                used, allowed = keys(json.loads(text)), set(FACTS["tools"]["deepspeed"]["keys"])
            elif file.endswith(".py"):
                made = calls(text)
                allowed = set(FACTS["tools"]["trl"]["keys"])
                used = {
                    word for call in ("SFTConfig", "LoraConfig", "BitsAndBytesConfig", "PromptTuningConfig") for word in made.get(call, {})
                }
                if tool == "unsloth":
                    assert {*made["from_pretrained"], *made.get("get_peft_model", {})} <= known, name
            else:
                used, allowed = words(text), known
            assert used <= allowed, (name, used - allowed)


@pytest.mark.parametrize("tool", ["trl", "axolotl", "llama-factory", "unsloth", "torchtune", "deepspeed"])
def test_the_numbers_are_the_plans(tool: str) -> None:
    """Micro-batch, accumulation, sequence, rank, learning rate and checkpointing stand in the file as planned."""
    batch = {"trl": "per_device_train_batch_size", "axolotl": "micro_batch_size", "llama-factory": "per_device_train_batch_size",
             "unsloth": "per_device_train_batch_size", "torchtune": "batch_size", "deepspeed": "train_micro_batch_size_per_gpu"}[tool]  # fmt: skip
    length = {
        "trl": "max_length",
        "axolotl": "sequence_len",
        "llama-factory": "cutoff_len",
        "unsloth": "max_length",
        "torchtune": "max_seq_len",
    }
    for name, each, files in emitted(tool):
        text, recipe = next(iter(files.files.values())), each.training.recipe

        def stands(key: str, number: Any, text: str = text) -> bool:
            return re.search(rf'\b{key}"?[:=] ?{re.escape(str(number))}[,\s]', text) is not None

        assert stands(batch, recipe.micro_batch), name
        assert stands("gradient_accumulation_steps", each.accumulation), name
        if tool in length:
            assert stands(length[tool], recipe.sequence_tokens), name
        if recipe.ranked and tool != "deepspeed":
            rank = {"axolotl": "lora_r", "llama-factory": "lora_rank", "torchtune": "lora_rank"}.get(tool, "r")
            assert stands(rank, recipe.rank), name


def test_deepspeed_counts_the_whole_batch() -> None:
    """DeepSpeed refuses a batch that is not micro-batch x accumulation x devices; stage and offload are the split's."""
    for _, each, files in emitted("deepspeed"):
        content = json.loads(files.files["deepspeed.json"])
        split = each.training.split
        assert (
            content["train_batch_size"] == content["train_micro_batch_size_per_gpu"] * content["gradient_accumulation_steps"] * split.data
        )
        assert content["zero_optimization"]["stage"] == split.zero or split.offload
        assert ("offload_optimizer" in content["zero_optimization"]) == bool(split.offload)


@pytest.mark.parametrize("tool", ["trl", "unsloth"])
def test_scripts_are_python_and_import_what_they_use(tool: str) -> None:
    """Every name of a script is imported, made in it, or built in."""
    for name, _, files in emitted(tool):
        tree = ast.parse(next(text for file, text in files.files.items() if file.endswith(".py")))
        made = {
            alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names
        }
        made |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        assert used - made <= set(dir(__builtins__) if isinstance(__builtins__, types.ModuleType) else __builtins__), name


def test_what_a_tool_does_otherwise_is_said_at_the_top() -> None:
    """A loss, an fp32 copy or adapters that the tool has another way for stand as notes in the file and in the answer."""
    for tool in TOOLS:
        for _, _, files in emitted(tool):
            text = next(iter(files.files.values()))
            if not text.startswith("{"):
                assert all(f"# note: {note}" in text for note in files.notes)
    whole = emit(plan(method="lora", dtype="amp", loss="hf"), "trl")
    assert any("fused loss" in note for note in whole.notes)
    assert any("GiB, planned" in note for note in emit(PLANS["lora"], "axolotl").notes)


@pytest.mark.parametrize(
    ("settings", "tool", "words"),
    [
        ({"method": "full", "split": Split(tensor=2)}, "trl", "tensor"),
        ({"method": "full", "split": Split(pipeline=2)}, "axolotl", "pipeline"),
        ({"method": "full", "optimizer": "muon"}, "trl", "muon"),
        ({"method": "full", "algorithm": "dpo"}, "trl", "dpo"),
        ({"method": "prompt"}, "axolotl", "prompt"),
        ({"method": "dora"}, "unsloth", "dora"),
        ({"method": "lora"}, "fsdp", "FSDP"),
        ({"method": "full", "dtype": "bf16", "split": Split(offload="cpu")}, "deepspeed", "bf16"),
        ({"method": "lora"}, "trll", "trll"),
    ],
)
def test_what_no_tool_can_is_refused(settings: dict[str, Any], tool: str, words: str) -> None:
    """One sentence and a way out, never a file that drops a setting."""
    with pytest.raises(UserError) as error:
        emit(plan(**settings), tool)
    assert words in error.value.message
    assert error.value.hint


def test_files_are_not_replaced_by_others(tmp_path: Path) -> None:
    """The same again is no harm; another plan over it is refused, and nothing is written."""
    write(emit(PLANS["lora"], "trl"), tmp_path)
    write(emit(PLANS["lora"], "trl"), tmp_path)
    with pytest.raises(UserError, match="there already"):
        write(emit(PLANS["qlora"], "trl"), tmp_path)


def test_the_verb_prints_or_writes(sizeup: Run, tmp_path: Path) -> None:
    """Without --to the files, with it their paths and the command; a config's folder is the model."""
    (tmp_path / "config.json").write_text(json.dumps(CONFIGS["Llama-3.2-1B"]))
    said = sizeup("train", str(tmp_path / "config.json"), "--on", "rtx-4090", "--emit", "axolotl")
    assert (said.code, said.err) == (0, "")
    assert f'base_model: "{tmp_path}"' in said.out
    for lang in ("en", "zh-Hant", "zh-Hans"):
        said = sizeup("train", str(tmp_path), "--method", "lora", "--emit", "trl", "--to", str(tmp_path / lang), "--lang", lang)
        assert (said.code, said.err) == (0, "")
        assert (tmp_path / lang / "run.py").exists()
        assert "run.py --data" in said.out
    found = json.loads(sizeup("train", str(tmp_path), "--emit", "deepspeed", "--json").out)
    assert list(found["files"]) == ["deepspeed.json"]
    wrong = sizeup("train", str(tmp_path), "--emit", "trll")
    assert (wrong.code, "Try: trl" in wrong.err) == (2, True)


def library(name: str) -> Any:
    """A tool's module, or the test is skipped by its name."""
    return pytest.importorskip(name, reason=f"{name} is not installed here", exc_type=ImportError)


@pytest.mark.transformers
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PLANS)
def test_trl_takes_the_settings(name: str, tmp_path: Path) -> None:
    """SFTConfig, LoraConfig, PromptTuningConfig and BitsAndBytesConfig are made with what the script says, for real."""
    trl, peft, transformers, torch = library("trl"), library("peft"), library("transformers"), library("torch")
    made = calls(emit(PLANS[name], "trl").files["run.py"])
    settings = {
        key: word for key, word in made["SFTConfig"].items() if key not in ("output_dir", "num_train_epochs", "max_steps", "deepspeed")
    }
    config = trl.SFTConfig(output_dir=str(tmp_path), **{**settings, "bf16": False, "fp16": False, "use_cpu": True})
    assert config.per_device_train_batch_size == PLANS[name].training.recipe.micro_batch
    if "LoraConfig" in made:
        assert peft.LoraConfig(**made["LoraConfig"]).r == PLANS[name].training.recipe.rank
    if "BitsAndBytesConfig" in made:
        bits = {
            key: getattr(torch, word[6:]) if isinstance(word, str) and word[:6] == "torch." else word
            for key, word in made["BitsAndBytesConfig"].items()
        }
        assert transformers.BitsAndBytesConfig(**bits).quantization_method() is not None


@pytest.mark.transformers
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("tool", ["accelerate", "fsdp"])
def test_accelerate_reads_its_file(tool: str, tmp_path: Path) -> None:
    """Its own loader takes every file."""
    library("accelerate")
    from accelerate.commands.config.config_args import load_config_from_file

    for _, each, files in emitted(tool):
        for path in write(files, tmp_path / str(id(each))):
            if path.suffix == ".yaml":
                assert load_config_from_file(str(path)).num_processes == each.training.split.data


@pytest.mark.transformers
@pytest.mark.filterwarnings("ignore")
def test_deepspeed_reads_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DeepSpeedConfig takes every file, with the batch of so many devices."""
    monkeypatch.setenv("DS_ACCELERATOR", "cpu")
    library("deepspeed")
    from deepspeed.runtime import config as module
    from deepspeed.runtime.config import DeepSpeedConfig

    monkeypatch.setattr(module.dist, "get_rank", lambda: 0)
    for _, each, files in emitted("deepspeed"):
        content = json.loads(files.files["deepspeed.json"])
        if "nvme_path" in content["zero_optimization"].get("offload_optimizer", {}):
            for place in ("offload_optimizer", "offload_param"):
                content["zero_optimization"][place]["nvme_path"] = str(tmp_path)
        data = each.training.split.data
        # Its arithmetic of batches asks the processes for their number.
        mesh = types.SimpleNamespace(get_data_parallel_world_size=lambda data=data: data)
        config = DeepSpeedConfig(content, mpu=mesh)
        assert config.zero_config.stage == content["zero_optimization"]["stage"]
        assert config.train_batch_size == content["train_batch_size"]


@pytest.mark.transformers
@pytest.mark.filterwarnings("ignore")
def test_axolotl_validates_its_file() -> None:
    """Its pydantic schema, with all of its validators, takes every file."""
    library("axolotl.utils.schemas.config")
    import yaml
    from axolotl.utils.dict import DictDefault
    from axolotl.utils.schemas.config import AxolotlInputConfig

    for name, each, files in emitted("axolotl"):
        content = yaml.safe_load(files.files["axolotl.yaml"])
        content.pop("deepspeed", None)
        content.pop("liger_fused_linear_cross_entropy", None)  # the plugin's own
        config = AxolotlInputConfig(**DictDefault(content))
        assert config.micro_batch_size == each.training.recipe.micro_batch, name


@pytest.mark.transformers
@pytest.mark.filterwarnings("ignore")
def test_llama_factory_parses_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its HfArgumentParser takes every file and leaves nothing over."""
    monkeypatch.setenv("DISABLE_VERSION_CHECK", "1")
    library("llamafactory.hparams")
    import yaml
    from llamafactory.hparams import DataArguments, FinetuningArguments, ModelArguments, TrainingArguments
    from transformers import HfArgumentParser

    for name, each, files in emitted("llama-factory"):
        content = yaml.safe_load(files.files["llama_factory.yaml"])
        content |= {"bf16": False, "fp16": False, "use_cpu": True, "output_dir": str(tmp_path)}
        content.pop("deepspeed", None)
        if "pure_bf16" in content:
            assert content.pop("pure_bf16") is True
        parser = HfArgumentParser([ModelArguments, DataArguments, TrainingArguments, FinetuningArguments])
        parsed = parser.parse_dict(content)
        assert parsed[2].per_device_train_batch_size == each.training.recipe.micro_batch, name


@pytest.mark.transformers
@pytest.mark.filterwarnings("ignore")
def test_torchtune_validates_its_file() -> None:
    """Its own validator finds every component and takes every argument."""
    library("torchtune.config")
    from omegaconf import OmegaConf
    from torchtune.config import validate

    for name, _, files in emitted("torchtune"):
        content = OmegaConf.create(files.files["torchtune.yaml"])
        if "bitsandbytes" in content.optimizer["_component_"]:
            library("bitsandbytes")
        # The loader of a dataset and of a checkpoint would look for the files that a person fills in.
        validate(content)
        assert content.batch_size >= 1, name
    assert "torchtune" in sys.modules

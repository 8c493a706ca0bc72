"""What a tool is asked to do: a plan's settings in the words that all tools share, and what comes back from it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sizeup.errors import UserError
from sizeup.facts import data_json
from sizeup.training.answer import train
from sizeup.training.parallel import Split
from sizeup.training.planned import TrainingPlan, half_precision
from sizeup.training.recipe import Recipe
from sizeup.training.result import Training

DATASET = "PATH/TO/YOUR/train.jsonl"
"""Stands where a person fills in the examples."""
FOR_PEFT = {"q": "q_proj", "k": "k_proj", "v": "v_proj", "o": "o_proj", "gate": "gate_proj", "up": "up_proj", "down": "down_proj"}
SETS = {"qv": ("q", "v"), "attn": ("q", "k", "v", "o")}


@dataclass(frozen=True)
class Emitted:
    """Files by name, what was said about them, and the command that runs them."""

    files: dict[str, str]
    command: str
    notes: tuple[str, ...] = ()


@dataclass
class Wanted:
    """A plan as tools want to hear it; `notes` grows as they find what they say otherwise."""

    plan: TrainingPlan
    model: str
    notes: list[str] = field(default_factory=list)

    @property
    def training(self) -> Training:
        return self.plan.training

    @property
    def recipe(self) -> Recipe:
        return self.plan.training.recipe

    @property
    def split(self) -> Split:
        return self.plan.training.split

    @property
    def half(self) -> str:
        """The 16-bit numbers of its devices, "bf16" or "fp16"."""
        return "fp16" if self.recipe.dtype == "fp16" else half_precision(self.training.machine)

    @property
    def half_name(self) -> str:
        """As PyTorch calls them."""
        return "bfloat16" if self.half == "bf16" else "float16"

    @property
    def mixed(self) -> bool:
        """Autocast, or DeepSpeed's 16 bits over an fp32 copy."""
        return self.recipe.dtype in ("amp", "bf16-master")

    @property
    def weights_dtype(self) -> str:
        """The numbers in which the model is loaded, as PyTorch calls them."""
        wide = self.recipe.base_width == 4 and not self.recipe.quantised
        return "float32" if wide else self.half_name

    @property
    def alpha(self) -> int:
        """LoRA's alpha: twice the rank, as most recipes have it; no byte depends on it."""
        return 2 * self.recipe.rank

    @property
    def peft_targets(self) -> str | list[str]:
        """Target modules as PEFT knows them."""
        asked = self.recipe.targets
        if asked == "all-linear":
            return asked
        names = SETS.get(asked) or tuple(asked.replace("+", ",").split(",")) if isinstance(asked, str) else asked
        return [FOR_PEFT.get(name.strip(), name.strip()) for name in names]

    @property
    def attention(self) -> str:
        """As transformers calls the implementation: SDPA takes the kernel that fits."""
        return "eager" if self.recipe.attention == "eager" else "sdpa"

    def optimizer(self, tool: str) -> str:
        """The planned optimizer by the tool's name. Raises UserError when it has none."""
        known: dict[str, str] = data_json("training_tools.json")["optimizers"][tool]
        if self.recipe.optimizer not in known:
            raise UserError(f"{tool} has no optimizer “{self.recipe.optimizer}”.", ", ".join(known))
        return known[self.recipe.optimizer]

    def only(
        self, tool: str, methods: tuple[str, ...], losses: tuple[str, ...], splits: tuple[str, ...] = ("data", "zero", "offload")
    ) -> None:
        """Refuses what the tool cannot do, and notes a loss that it computes in another way, with what that takes.

        Raises UserError.
        """
        if self.recipe.method not in methods:
            raise UserError(f"{tool} cannot train with the method “{self.recipe.method}”.", ", ".join(methods))
        if self.training.algorithm != "sft":
            raise UserError(f"Configurations are for supervised fine-tuning, not for “{self.training.algorithm}”.", "--algorithm sft")
        for name in ("tensor", "pipeline", "context", "expert"):
            if getattr(self.split, name) > 1:
                raise UserError(f"{tool} is not given a split by “{name}” here.", "data=…, zero=…")
        for name in ("data", "zero", "offload"):
            if name not in splits and getattr(self.split, name) not in (1, 0, ""):
                raise UserError(f"{tool} is not given a split by “{name}” here.", ", ".join(f"{kind}=…" for kind in splits) or "one device")
        if self.recipe.loss not in losses:
            self.as_loss(tool, losses[0])

    def as_loss(self, tool: str, loss: str) -> None:
        """The tool computes the loss in its own way: the plan is accounted again with it."""
        before = self.training.process_bytes
        again = train(self.training.model, machine=self.training.machine, **{**self.training.asked, "loss": loss})
        self.plan = replace(self.plan, training=again)
        words = {"hf": "with all logits at once", "chunked": "with Liger's fused loss", "trl": "with its own fused loss"}[loss]
        gib = f"{again.process_bytes / 2**30:.2f} GiB, planned {before / 2**30:.2f}"
        self.notes.append(f"{tool} computes the loss {words}: {gib}.")


def wanted(plan: TrainingPlan, model: str | None) -> Wanted:
    """What a tool is asked for. Notes what no tool is told."""
    spec, recipe = plan.training.model, plan.training.recipe
    found = Wanted(plan, model or str(spec.card.get("id") or spec.name))
    if recipe.device == "cpu":
        found.notes.append("Planned for a processor.")
    if plan.training.limit_bytes is not None and not plan.fits:
        found.notes.append(f"This does not fit {plan.training.machine.name if plan.training.machine else ''}.")
    return found


def header(found: Wanted, tool: str, run: str) -> list[str]:
    """Comment lines for the top of a file: what it is, what it takes, how it is run, what differs."""
    recipe, training = found.recipe, found.training
    facts = data_json("training_tools.json")["tools"].get(tool, {})
    what = f"{found.model}: {recipe.method}, {recipe.micro_batch} x {recipe.sequence_tokens} tokens, {training.process_bytes / 2**30:.2f} GiB a device"
    lines = [what, f"for {tool} {facts.get('version', '')}".rstrip(), f"run: {run}"]
    return [f"# {line}" for line in [*lines, *(f"note: {note}" for note in found.notes)]]

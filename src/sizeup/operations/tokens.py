"""tokens: what real things cost a model in tokens, what it takes to read them, and what answers from them take."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sizeup.errors import UserError

from .kinds import COUNT, FILE, FLAG, MODEL, NUMBER, choice
from .operation import Ask, Derived, Operation, derived
from .parameter import Parameter, Values
from .shared import PLAN, named, settings

if TYPE_CHECKING:
    from sizeup.api.tokens import TokensJson
    from sizeup.model import ModelSpec
    from sizeup.tokens.found import Tokens
    from sizeup.tokens.rag import Rag
    from sizeup.tokens.reading import Reading


class Counted(NamedTuple):
    """What was counted, what it takes to read, and what retrieval over it takes, where these were asked for."""

    found: Tokens
    model: str
    reading: Reading | None
    rag: Rag | None

    @property
    def met(self) -> bool:
        return all(one.fits for one in (self.reading, self.rag) if one is not None)

    def to_json(self) -> TokensJson:
        from sizeup.api import tokens_json

        return tokens_json(self.found, self.model, self.reading, self.rag)


def tokens(ask: Ask, values: Values) -> Counted | Derived:
    """Count what is named; with a model, what reading it takes; with --rag, what looking things up in it takes."""
    from sizeup.tokens.whole import count_tokens

    if not values["file"]:
        raise UserError("No file is named.", "sizeup tokens FILE, or a folder")
    name = values["model"]
    if name is None and (named(values) or values["context"] or values["quant"] or ask.why is not None):
        raise UserError("How a machine reads it depends on the model, and none is named.", "--model qwen3:8b")
    files = [ask.world.file(path) for path in values["file"]]
    tokenizer = None if values["tokenizer"] is None else ask.world.file(values["tokenizer"])
    model = None if name is None else ask.world.model(name, values["assume"])
    found = count_tokens(
        files,
        model,
        tokenizer=tokenizer,
        encoding=values["encoding"],
        everything=values["all"],
        raw=values["raw"],
        engine=values["engine"],
        frames_per_s=values["frames_per_s"],
        tell=ask.tell,
    )
    for option in RAG:
        if values[option.name] and not values["rag"]:
            raise UserError(f"{option.typed} is an option of --rag.", f"--rag {option.typed} …")
    if values["rag"]:
        return Counted(found, name or "", None, _rag(ask, values, found, model))
    if model is None:
        return Counted(found, "", None, None)
    from sizeup.tokens.reading import ANSWER_TOKENS, reading

    read = reading(
        found.tokens,
        model,
        ask.world.on(values),
        answer_tokens=ANSWER_TOKENS if values["answer_tokens"] is None else values["answer_tokens"],
        context_tokens=values["context"],
        engine=values["engine"],
        quant=values["quant"],
        settings=settings(values),
        modality=found.modality,
    )
    return derived(ask, read.plan) if ask.why is not None else Counted(found, name, read, None)


def _rag(ask: Ask, values: Values, found: Tokens, model: ModelSpec | None) -> Rag:
    """Retrieval over what was counted."""
    from sizeup.tokens.rag import EMBEDDER, Wanted, rag

    if model is None:
        raise UserError("Who answers from the chunks is not said.", "--model qwen3:8b")
    asked = {option.name: values[option.name] for option in (*RAG, ANSWER) if option.name not in ("rag", "embedder")}
    asked["overlap_tokens"] = asked.pop("overlap")
    wanted = Wanted(**{name: value for name, value in asked.items() if value is not None})
    embedder = ask.world.model(values["embedder"] or EMBEDDER, values["assume"])
    return rag(
        found.things,
        model,
        embedder,
        ask.world.on(values),
        wanted,
        engine=values["engine"],
        quant=values["quant"],
        settings=settings(values),
    )


ANSWER = Parameter("answer_tokens", COUNT, shown="TOKENS", least=1)
RAG = (
    Parameter("rag", FLAG, False),
    Parameter("chunk_tokens", COUNT, shown="TOKENS", least=1),
    Parameter("overlap", COUNT, shown="TOKENS", least=0),
    Parameter("top_k", COUNT, shown="N", least=1),
    Parameter("system_tokens", COUNT, shown="TOKENS", least=0),
    Parameter("question_tokens", COUNT, shown="TOKENS", least=1),
    Parameter("embedder", MODEL, shown="MODEL"),
    Parameter("vector_type", choice("f32", "f16", "int8", "binary"), shown="f32|f16|int8|binary"),
    Parameter("links", COUNT, shown="M", least=0, most=512),
)
"""How texts are cut, turned into vectors and looked up."""

TOKENS = Operation(
    "tokens",
    (
        Parameter("file", FILE, key="tokens_file", shown="FILE…", argument=True, many=True),
        Parameter("model", MODEL, key="tokens_model", shown="MODEL"),
        Parameter("tokenizer", FILE, key="tokens_tokenizer", shown="FILE"),
        Parameter("encoding", shown="NAME"),
        Parameter("all", FLAG, False, key="tokens_all"),
        Parameter("raw", FLAG, False, key="tokens_raw"),
        Parameter("frames_per_s", NUMBER, shown="N", most=1000),
        ANSWER,
        *PLAN,
        *RAG,
    ),
    tokens,
    explained=True,
)

"""A chat in the terminal: a history, pieces as they come, Ctrl+C for the answer, /bye for the chat."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Mapping

from sizeup.engines.llamacpp.pieces import SHOWN_EVERY_S
from sizeup.errors import Unavailable
from sizeup.plan import Plan
from sizeup.render.points import shown_rate
from sizeup.servers.client import Server
from sizeup.servers.openai import Answered, chat

from .verb import Asked, stream

LEAVE = ("/bye", "/exit", "/quit")


def converse(
    asked: Asked,
    plan: Plan,
    system: str,
    wanted: Mapping[str, float | int],
    ask: Callable[[str], str] = input,
) -> Answered | None:
    """Talk until /bye or the end of input; returns the last whole answer, None without one."""
    from sizeup.engines.llamacpp.server import serving

    t = asked.page.texts
    if sys.stderr.isatty():
        print(t("run.loading", model=plan.model.name), file=sys.stderr, flush=True)
    key = secrets.token_urlsafe(16)
    with serving(plan, key=key) as server:
        asked.say(f"{t('chat.hello', model=plan.model.name, context=f'{plan.settings.context_tokens:,}')}\n")
        return talk(asked, Server(server.address, "llama.cpp", token=key), plan.model.name, system, ask, **wanted)


def talk(asked: Asked, server: Server, model: str, system: str, ask: Callable[[str], str], **wanted: float | int) -> Answered | None:
    """The conversation itself, with any server that speaks OpenAI's API."""
    t = asked.page.texts
    begin = [{"role": "system", "content": system}] if system else []
    history, last = list(begin), None
    while True:
        try:
            line = ask(">>> ").strip()
        except EOFError:
            asked.say("\n")
            return last
        except KeyboardInterrupt:
            asked.say(f"\n{t('chat.leave')}\n")
            continue
        if line in LEAVE:
            return last
        if line == "/clear":
            history = list(begin)
            asked.say(f"{t('chat.cleared')}\n")
        elif line.startswith("/"):
            asked.say(f"{t('chat.help')}\n")
        elif line:
            history.append({"role": "user", "content": line})
            answered = _answer(asked, server, model, history, **wanted)
            last = answered or last


def _answer(asked: Asked, server: Server, model: str, history: list[dict[str, str]], **wanted: float | int) -> Answered | None:
    """One answer, kept in the history as far as it came; a question that could not be answered is taken back."""
    t = asked.page.texts
    pieces: list[str] = []

    def on_text(text: str) -> None:
        pieces.append(text)
        stream(text)

    try:
        found = chat(server, model, history, on_text, every_s=SHOWN_EVERY_S, **wanted)
    except KeyboardInterrupt:
        found = None
        asked.say(f"\n{t('chat.stopped')}\n")
    except Unavailable as error:
        history.pop()
        full = "context" in error.message and ("exceed" in error.message or "size" in error.message)
        asked.say(f"{t('chat.full') if full else t.sentence(error.message)}\n")
        return None
    if pieces:
        history.append({"role": "assistant", "content": "".join(pieces)})
    else:
        history.pop()
    if found is not None:
        rate = t("chat.rate", tokens=found.new_tokens, rate=shown_rate(asked.page, found.decode_tokens_per_s))
        asked.say(f"\n{asked.page.paint(rate, 'dim')}\n")
        if found.stopped == "length" and not wanted.get("max_tokens"):
            asked.say(f"{t('chat.full')}\n")
    return found

"""docs/small-models.md: predictions that come out of the code, answers that were really given."""

from __future__ import annotations

from tools.small_work.page import MODELS, PAGE, measured, mini_plan, page
from tools.small_work.tasks import TASKS


def test_the_page_is_what_the_script_writes() -> None:
    """A prediction that changes changes the page: python -m tools.small_work."""
    assert PAGE.read_text() == page()


def test_every_model_did_every_task_and_each_answer_was_read() -> None:
    """No task is left out, and no answer without a verdict."""
    ids = [task.id for task in TASKS]
    assert measured()
    for model in measured():
        assert [row["task"] for row in model["rows"]] == ids
        assert [task for task in ids if not model["judged"][task]] == []


def test_the_models_fit_the_mini_pc() -> None:
    """What is foretold of it can be run there."""
    assert [name for name in MODELS if not mini_plan(name).fits] == []

"""sizeup mcp: tools for assistants, over standard input and output."""

from __future__ import annotations

from sizeup.errors import Unavailable

from .verb import Asked, Option, Verb

INSTALL = 'pip install ".[mcp]" in the folder of sizeup'


def mcp(asked: Asked, files: bool) -> None:
    """Answer an assistant until it hangs up."""
    try:
        import mcp.server  # noqa: F401
    except ImportError:
        raise Unavailable("sizeup mcp needs the package mcp, which is not installed.", INSTALL) from None
    from sizeup.mcp import serve

    serve(files)


command = Verb("mcp", mcp, [Option(["--allow-files", "files"], "serve_files", is_flag=True)])

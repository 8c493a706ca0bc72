"""`sizeup serve`: the page and REST, a skin of the table of operations. Needs the extra `web` (starlette, uvicorn)."""

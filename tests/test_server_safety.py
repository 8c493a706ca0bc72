"""What a server must refuse: foreign hosts and origins, what is too long or too slow, paths out of its folders."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="needs the extra `web`")

from sizeup.hardware import Machine
from sizeup.web import static
from sizeup.web.app import app
from sizeup.web.guard import host_name
from sizeup.web.limits import LARGEST_BODY, LONGEST_QUERY
from sizeup.web.serving import Serving
from sizeup.web.world import ServedWorld
from tests.client import Client
from tests.ghosts import unpack

ASK = "/api/explain"


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(app())


@pytest.mark.parametrize("host", ["127.0.0.1:8780", "localhost:8780", "LOCALHOST", "[::1]:8780", "127.0.0.1"])
def test_own_names(host: str) -> None:
    """A server on loopback answers to every spelling of loopback."""
    assert Client(app(), host).get(ASK).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8780", "127.0.0.1.evil.example", "", "169.254.169.254", "[::2]:8780", "a:b:c"]
)
def test_foreign_host(host: str) -> None:
    """A name that somebody points at 127.0.0.1 (DNS rebinding) is not this server's."""
    for path in (ASK, "/", "/files/x"):
        assert Client(app(), host).get(path).status == 421


def test_given_names() -> None:
    """--name adds a name that clients may use."""
    assert Client(app(Serving(names=("box.lan",))), "box.lan:8780").get(ASK).status == 200
    assert host_name("Box.LAN:80") == "box.lan"


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "http://127.0.0.1:9999"}, {"sec_fetch_site": "cross-site"}],
)
def test_foreign_origin(client: Client, headers: dict[str, str]) -> None:
    """A page of another origin may send nothing; it may ask, and its browser does not show it the answer."""
    assert client.send("POST", "/api/header", b"GGUF", **headers).status == 403
    reply = client.get(ASK, **headers)
    assert (reply.status, "access-control-allow-origin" in reply.headers) == (200, False)


def test_cors_only_where_asked() -> None:
    """--cors names the origins whose pages may read answers; no other gets the header."""
    shared = Client(app(Serving(cors=("https://a.example",))))
    assert shared.get(ASK, origin="https://a.example").headers["access-control-allow-origin"] == "https://a.example"
    assert "access-control-allow-origin" not in shared.get(ASK, origin="https://b.example").headers


def test_an_allowed_page_may_send() -> None:
    """The browser's question before a page of an allowed origin sends something is answered, and no other's."""
    shared = Client(app(Serving(cors=("https://a.example",))))
    asked = shared.send("OPTIONS", "/api/header", origin="https://a.example", access_control_request_method="POST")
    assert (asked.status, asked.headers["access-control-allow-origin"]) == (204, "https://a.example")
    assert "access-control-allow-origin" not in shared.send("OPTIONS", "/api/header", origin="https://b.example").headers
    assert shared.send("POST", "/api/header?bytes=9000", b"GGUF", origin="https://a.example").status == 200


def test_programs_are_told_to_this_machine_alone() -> None:
    """Who asks from elsewhere does not hear which programs run here."""
    public = Client(app(Serving(host="192.0.2.7")), "192.0.2.7:8780")
    assert public.get("/api/machine").json["programs"] == []


def test_what_lies_in_the_folder_is_not_read(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder or a file that is called as a model or machine is, here, changes no answer."""
    before = [client.get("/api/model?model=gemma3").json, client.get("/api/machine?name=rtx-4090").json]
    (tmp_path / "gemma3").mkdir()
    (tmp_path / "gemma3" / "config.json").write_text('{"model_type": "llama"}')
    (tmp_path / "rtx-4090").write_text("[ram]")
    monkeypatch.chdir(tmp_path)
    fresh = Client(app())
    assert [fresh.get("/api/model?model=gemma3").json, fresh.get("/api/machine?name=rtx-4090").json] == before


def test_too_long(client: Client) -> None:
    """Queries and bodies have a limit, told before anything of them is read."""
    assert client.get(f"{ASK}?word={'x' * LONGEST_QUERY}").status == 413
    assert client.send("POST", "/api/header", b"", content_length=str(LARGEST_BODY + 1)).status == 413
    assert client.send("POST", "/api/header", b"", content_length="many").status == 413
    # Without a length the body is counted as it comes.
    assert client.send("POST", "/api/header", b"x" * (LARGEST_BODY + 1)).status == 413
    assert client.get(f"{ASK}?{'&'.join(f'a{n}=1' for n in range(200))}").status == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
def test_methods(client: Client, method: str) -> None:
    """Answers are only asked for."""
    assert client.send(method, ASK).status in (404, 405)


class Slow(ServedWorld):
    """Takes as long as it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def machine(self, name: str | None = None, ram: int | None = None) -> Machine:
        self.go.wait(30)
        return super().machine(name, ram)


def test_too_slow() -> None:
    """A computation that takes too long is given up with 504; one that has to wait behind too many is refused with 503."""
    world = Slow()
    slow = Client(app(Serving(seconds=0.05, threads=1, waiting=2), world))
    try:
        assert [slow.get("/api/machine?name=rtx-4090").status for _ in range(3)] == [504, 504, 503]
        assert slow.get("/api/machine?name=rtx-4090").json["error"]["kind"] == "Busy"
    finally:
        world.go.set()


def test_a_bug_tells_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw is 500 without a word of the inside."""

    def broken(self: ServedWorld, name: str) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(ServedWorld, "_read", broken)
    reply = Client(app()).get("/api/model?model=qwen3:8b")
    assert (reply.status, b"secret" in reply.body) == (500, False)


OUT = [
    "../secret",
    "%2e%2e/secret",
    "..%2fsecret",
    "a/../../secret",
    "/etc/passwd",
    "//etc/passwd",
    "..\\secret",
    "link",
    "folder",
    ".hidden",
    "",
    "x%00y",
    "missing",
]


@pytest.mark.parametrize("at", ["/files/", "/engines/"])
@pytest.mark.parametrize("path", OUT)
def test_no_way_out_of_a_folder(tmp_path: Path, at: str, path: str) -> None:
    """Dots, links, hidden names, folders and absolute paths lead nowhere."""
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (root / ".hidden").write_text("secret")
    (root / "link").symlink_to(tmp_path / "secret")
    served = Client(app(Serving(models=root, engines=root)))
    reply = served.get(at + path)
    assert (reply.status, b"secret" in reply.body) == (404, False)


@pytest.mark.parametrize(
    "path", ["/../pyproject.toml", "/%2e%2e/app.py", "/..%2fapp.py", "/static/index.html", "/files/x", "/engines/x", "/.x"]
)
def test_no_way_out_of_the_page(client: Client, path: str) -> None:
    """The page's files are those that were read at start; folders that nobody named are not there."""
    assert client.get(path).status == 404


def test_ranges(tmp_path: Path) -> None:
    """Model files come in ranges, isolated, never sniffed."""
    (tmp_path / "m.gguf").write_bytes(bytes(range(100)))
    served = Client(app(Serving(models=tmp_path)))
    part = served.get("/files/m.gguf", range="bytes=10-19")
    assert (part.status, part.headers["content-range"], part.body) == (206, "bytes 10-19/100", bytes(range(10, 20)))
    assert served.get("/files/m.gguf", range="bytes=200-").status == 416
    whole = served.get("/files/m.gguf")
    assert (whole.status, len(whole.body), whole.headers["x-content-type-options"]) == (200, 100, "nosniff")
    assert whole.headers["cross-origin-embedder-policy"] == "require-corp"


def test_page_headers(client: Client) -> None:
    """No page runs scripts from elsewhere or from its own text; only the browser's page is isolated and compiles WebAssembly."""
    page = client.get("/").headers
    assert "unsafe" not in page["content-security-policy"]
    assert page["content-security-policy"].startswith("default-src 'self'; script-src 'self';")
    assert ("cross-origin-opener-policy" in page, page["cache-control"]) == (False, "no-cache")
    assert "'wasm-unsafe-eval'" in static.BROWSER_POLICY
    assert "'unsafe-inline'" not in static.BROWSER_POLICY


def test_etag_and_gzip(client: Client, tmp_path: Path) -> None:
    """A file that the client has is not sent again; the compressed bytes have an ETag of their own."""
    (tmp_path / "a.js").write_text("const a = 1;\n" * 100)
    file = static._read(tmp_path / "a.js")
    plain, packed = (static.answered(file, asked, False) for asked in ({}, {"accept-encoding": "gzip, br"}))
    assert len({plain.headers["etag"], packed.headers["etag"]}) == 2
    assert (packed.headers["content-encoding"], len(packed.body) < len(plain.body)) == ("gzip", True)
    again = static.answered(file, {"if-none-match": plain.headers["etag"]}, True)
    assert (again.status_code, again.body, again.headers["cross-origin-opener-policy"]) == (304, b"", "same-origin")


def test_the_start_of_a_file(client: Client, tmp_path: Path) -> None:
    """The start of a GGUF is a model that later questions may name; too short a start says how much is needed; nothing is written."""
    path = unpack("SmolLM2-135M-Q4_K_M", tmp_path)
    data, size = path.read_bytes()[: 8 << 20], path.stat().st_size
    short = client.send("POST", f"/api/header?bytes={size}", data[:1000])
    assert (short.status, short.json["needs_bytes"] > 1000) == (200, True)
    sent = data[: short.json["needs_bytes"]]
    for _ in range(8):
        reply = client.send("POST", f"/api/header?bytes={size}&name={path.name}", sent)
        if "needs_bytes" not in reply.json:
            break
        sent = data[: reply.json["needs_bytes"]]
    from sizeup.api import model_json
    from sizeup.readers import read

    told = {**model_json(read(path)), "source": {"kind": "read", "where": path.name, "date": ""}}
    assert reply.json == {"model": reply.json["model"], **told}
    assert reply.json["model"].startswith("header:")
    plan = client.get(f"/api/plan?model={reply.json['model']}&on=rtx-4090")
    assert (plan.status, plan.json["fits"]) == (200, True)
    assert client.get(f"/api/model?model=header:{'0' * 64}").status == 404


@pytest.mark.parametrize("data", [b"", b"GGUF", b"GGUF\x03\0\0\0" + b"\xff" * 16, b"PK\x03\x04" + b"\0" * 100, b"\0" * 5000])
def test_hostile_starts(client: Client, data: bytes) -> None:
    """What is no header is 400 in one sentence, or needs more of it; never a bug."""
    reply = client.send("POST", "/api/header?bytes=100000", data)
    assert reply.status in (200, 400)
    assert ("needs_bytes" in reply.json) == (reply.status == 200)


def test_only_so_many_headers_are_kept() -> None:
    """Of more than KEPT models the one asked about least recently is dropped."""
    from sizeup.errors import NotFound
    from sizeup.readers import read
    from sizeup.web.headers import KEPT, Shelf

    shelf, spec = Shelf(), read("qwen3:8b")
    for number in range(KEPT + 1):
        shelf.keep(f"header:{number}", spec)
    with pytest.raises(NotFound):
        shelf.model("header:0")
    assert shelf.model(f"header:{KEPT}") is spec

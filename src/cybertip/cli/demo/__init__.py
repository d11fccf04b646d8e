"""`demo`: from signals to a receipt, over real HTTP: an invented platform, its reviewer, and a NCMEC double that checks the
report as NCMEC would.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cybertip.cli import show
from cybertip.cli.documents import JsonOption
from cybertip.cli.outcome import Misuse, outcomes
from cybertip.cli.settings import Settings
from cybertip.cli.webhooks import signer
from cybertip.webhooks.addresses import Address

if TYPE_CHECKING:
    from cybertip.cli.demo.platform import Endpoints

__all__ = ["demo"]


def demo(
    crash: Annotated[
        bool, typer.Option("--crash", help="Kill the worker in the middle of an upload, and start another.")
    ] = False,
    keep: Annotated[
        Path | None, typer.Option(help="Keep what was made and recorded, and the receipt, in this folder.")
    ] = None,
    endpoints: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Call your own endpoints on this machine, URL/additional-info and URL/preserve, instead.",
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            help="The key that signs what they are sent: of Standard Webhooks, or of Coop's scheme in PEM form."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Take a synthetic case from three signals to a receipt with a NCMEC double on this machine, and show each step.

    A hash match, a user report and an escalation become one case; a reviewer's decision is filed with what the platform
    knows, and the platform is told. Nothing leaves this machine.
    """
    with outcomes(), _folder(keep) as folder:
        _demand_extras()
        # Not before it is wanted: every other command would wait for all that this one needs.
        from cybertip.cli.demo.crash import deliver_over_a_dead_worker
        from cybertip.cli.demo.endpoints import running_platform
        from cybertip.cli.demo.story import Story
        from cybertip.cli.demo.told import print_json, print_story
        from cybertip.sandbox import running

        say = _silence if as_json else _step
        elsewhere = _elsewhere(endpoints, key)
        with running() as url, running_platform(folder, elsewhere=elsewhere) as platform:
            say(f"Started a NCMEC double at {url}")
            own = "its endpoints answer only what is signed" if elsewhere is None else "your endpoints are called"
            say(f"Started a platform of its own at {platform.url}; {own}")
            settings = Settings(
                storage=f"sqlite:///{folder / 'cybertip.db'}",
                evidence=str(folder / "evidence"),
                environment=url,
                username="sandbox",
                password="sandbox",  # noqa: S106 - the double's own, known to all
            )
            with settings.open_storage(make=True) as storage, settings.courier(storage) as courier:
                story = Story(folder, settings, platform, storage, courier, say)
                story.notice()
                story.review()
                story.assemble()
                killed = deliver_over_a_dead_worker(url, settings, folder, say) if crash else None
                if not crash:
                    story.deliver(quiet=as_json)
                story.follow()
                ended = story.look(url, killed)
        (print_json if as_json else print_story)(ended)
        if keep is not None:
            say(f"Kept everything in {keep}: there, `cybertip case show {ended.case.key}` tells it once more")


def _demand_extras() -> None:
    """Say what to install where something is missing, before anything is begun."""
    try:
        import cybertip.hashing.pictures
        import cybertip.webhooks.standard  # noqa: F401
    except ImportError:
        raise Misuse(
            "the demonstration looks pictures up and signs requests: python -m pip install 'cybertip[pdq,webhooks]'"
        ) from None


def _elsewhere(url: str | None, key: Path | None) -> "Endpoints | None":
    """Return the endpoints of the reader's own, which must be on this machine."""
    if url is None and key is None:
        return None
    try:
        address = Address.of((url or "").rstrip("/"))
    except ValueError as error:
        raise Misuse(f"--endpoints and --key go together, and the URL {error}") from None
    if key is None or address.host not in ("localhost", "127.0.0.1", "::1"):
        raise Misuse("--endpoints and --key go together, and the demonstration calls this machine alone")
    from cybertip.cli.demo.platform import Endpoints

    return Endpoints(url=(url or "").rstrip("/"), signer=signer(key, None), events=False)


def _step(text: str) -> None:
    show.line(f"✓ {text}" if show.console.is_terminal else text, "green" if show.console.is_terminal else "")


def _silence(_: str) -> None:
    return


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="cybertip-demo-") as folder:
        yield Path(folder)

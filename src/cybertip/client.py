"""The seven endpoints, one exchange a call. Nothing is remembered and nothing is retried: that is durable filing's business.

What an error tells about the world is in `cybertip.errors`; what may be repeated after one is in NCMEC's section 6.

A report is filed in this order:

```python
from cybertip import Client, Credentials, Environment

with Client(Environment.TEST, Credentials(username="example", password="...")) as ncmec:
    opened = ncmec.submit(report)
    uploaded = ncmec.upload(opened.report_id, "evidence/0001", name="holiday.jpg", media_type="image/jpeg")
    ncmec.describe(FileDetails(report_id=opened.report_id, file_id=uploaded.file_id))
    receipt = ncmec.finish(opened.report_id)
    archive(receipt.raw, receipt.request_id)
```
"""

from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from cybertip import protocol
from cybertip.adapters.transport.blocks import AsyncBlocks, Blocks, Progress, Source
from cybertip.model import DEFAULT_EDITION, Edition, FileDetails, Report, ReportId
from cybertip.protocol import (
    Answer,
    Credentials,
    Described,
    Environment,
    Finished,
    Opened,
    Reply,
    Request,
    Retracted,
    SchemaReply,
    StatusReply,
    Uploaded,
    understand,
)

if TYPE_CHECKING:
    import httpx

    from cybertip.adapters.transport.httpx_transport import Timeout

__all__ = ["AsyncClient", "Client", "Progress", "Source"]

R = TypeVar("R", bound=Reply)


class Client:
    """Call NCMEC's endpoints, each answering with a typed reply or raising what is known of the world.

    Args:
        environment: where to: `Environment.TEST`, `Environment.PRODUCTION` or `Environment.sandbox(url)`. No default:
            a report in the wrong place helps nobody, and may cost the organisation its credentials.
        credentials: those of that environment. Without them, the authentication of `http` applies, if it has any.
        http: an `httpx.Client` to use, with its authentication, proxies, certificates, hooks and timeouts; it stays open
            when this client closes. Without it, one is made: TLS verified, timeouts set.
        timeout: seconds for each step of an exchange, or an `httpx.Timeout`. Default: 10 s to connect, 120 s to read or
            write; with `http`, whatever that client has.

    All calls may raise `NcmecError` (they answered no: see its subclasses), `NeverSent`, `InDoubt` (the answer was lost) or
    `Misunderstanding` (the answer cannot be read). Calls may be made from several threads.

    >>> import httpx
    >>> body = b"<reportResponse><responseCode>0</responseCode><reportId>4564654</reportId></reportResponse>"
    >>> double = httpx.MockTransport(lambda request: httpx.Response(200, content=body, headers={"Request-ID": "abc"}))
    >>> with Client(Environment.sandbox("http://127.0.0.1:8025"), http=httpx.Client(transport=double)) as ncmec:
    ...     retracted = ncmec.retract(ReportId(4564654))
    >>> retracted.report_id, retracted.request_id
    (4564654, 'abc')
    """

    def __init__(
        self,
        environment: Environment,
        credentials: Credentials | None = None,
        *,
        http: "httpx.Client | None" = None,
        timeout: "Timeout | None" = None,
    ) -> None:
        from cybertip.adapters.transport.httpx_transport import HttpxTransport

        self._environment = environment
        self._transport = HttpxTransport(environment, credentials, http=http, timeout=timeout)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._environment}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. A client given as `http` stays open."""
        self._transport.close()

    @property
    def environment(self) -> Environment:
        """Where this client's reports go."""
        return self._environment

    def status(self) -> StatusReply:
        """Ask whether address and credentials are well. Nothing is filed.

        Raises `NotAllowed` where the credentials are not those of the environment. Clause: NCMEC, section 2, /status.
        """
        return self._exchange(protocol.status())

    def schema(self) -> SchemaReply:
        """Fetch the XSD that NCMEC validates reports with, to see a change coming.

        Up to 8 MiB are read. Clause: NCMEC, section 2, /xsd.
        """
        return self._exchange(protocol.schema())

    def submit(self, report: Report, *, edition: Edition | str = DEFAULT_EDITION) -> Opened:
        """Open a report. It is not filed until it is finished, and deletes itself if that does not happen in time.

        Args:
            report: the document; it is written in `edition`. Ask `cybertip.check` first: the documented rules are not
                checked here.
            edition: the state of NCMEC's schema to write.

        Raises `InvalidReport` before anything is sent for what cannot be written; `NotUnderstood` where NCMEC refuses the
        document. After `InDoubt` it may be repeated: the other report, if there is one, deletes itself.
        Clause: NCMEC, section 2, /submit.
        """
        return self._exchange(protocol.submit(report, edition=edition))

    def upload(
        self,
        report_id: ReportId,
        source: Source,
        *,
        name: str,
        media_type: str = "application/octet-stream",
        md5: str | None = None,
        progress: Progress | None = None,
    ) -> Uploaded:
        """Add a file to an open report, streamed block by block: no file is ever held in memory.

        Args:
            report_id: what `submit` answered.
            source: a path; bytes; a binary file, which is read from where it stands and is not closed; or a function that
                opens one, which is closed here. Where the size can be known it is sent; otherwise the form goes in chunks.
            name: the file's name for the investigator. It may hold anything.
            media_type: such as `image/jpeg`.
            md5: the digest that NCMEC must confirm, 32 hexadecimal digits; without it, it is computed in a thread while
                the file is sent.
            progress: called with the bytes that were handed to the connection and their total (None where unknown).

        Raises `InvalidReport` before anything is sent for an empty file or a name, media type or digest that cannot be
        sent, and what opening and first reading the source raise, as they raise it. Once bytes may have left, what goes
        wrong with the file (it cannot be read, it grew, it shrank) or in `progress` raises `InDoubt`, with the original as
        its cause. Raises `HashMismatch` where NCMEC holds other bytes: retract the report. After `InDoubt`, repeating
        could put the file into the report twice: retract, and start again. Clause: NCMEC, section 2, /upload.
        """
        with Blocks(source, digest=md5 is None, progress=progress) as blocks:
            request = protocol.upload(report_id, name=name, media_type=media_type, size=blocks.size, md5=md5)
            return _understood(request, self._transport.exchange(request, blocks), blocks.md5)

    def describe(self, details: FileDetails, *, edition: Edition | str = DEFAULT_EDITION) -> Described:
        """Say what is known of an uploaded file, which the details name; once per file.

        Raises `InvalidReport` before anything is sent for what cannot be written; `NotFound` where the file is not in the
        report. After `InDoubt`, a second try may be refused: retract, and start again.
        Clause: NCMEC, section 2, /fileinfo.
        """
        return self._exchange(protocol.describe(details, edition=edition))

    def finish(self, report_id: ReportId) -> Finished:
        """File the report. This cannot be taken back.

        The reply's `raw` is the receipt, the legal notice under 18 U.S.C. 2258A(h)(1): keep its bytes. Call this only with
        all files uploaded, never to see whether a report is there: an incomplete one would be filed as it is. After
        `InDoubt`, repeat it: `AlreadyFinished` then means that it is filed. Clause: NCMEC, section 2, /finish.
        """
        return self._exchange(protocol.finish(report_id))

    def retract(self, report_id: ReportId) -> Retracted:
        """Drop a report that is not finished.

        Raises `AlreadyFinished` where it was filed before, and `AlreadyRetracted` or `NotFound` where it is gone, which is
        as good. After `InDoubt`, repeat it. Clause: NCMEC, section 2, /retract.
        """
        return self._exchange(protocol.retract(report_id))

    def _exchange(self, request: Request[R]) -> R:
        return _understood(request, self._transport.exchange(request))


class AsyncClient:
    """Call NCMEC's endpoints from asyncio or trio, as `Client` does; see there for arguments and errors.

    The event loop is never blocked: files are read and hashed in threads. `progress` is called in the event loop, and must
    return at once. A call that is cancelled leaves NCMEC's side in doubt, as `InDoubt` does.

    >>> import anyio, httpx
    >>> body = b"<reportResponse><responseCode>0</responseCode><reportId>4564654</reportId></reportResponse>"
    >>> double = httpx.MockTransport(lambda request: httpx.Response(200, content=body))
    >>> async def main():
    ...     http = httpx.AsyncClient(transport=double)
    ...     async with AsyncClient(Environment.sandbox("http://127.0.0.1:8025"), http=http) as ncmec:
    ...         return await ncmec.retract(ReportId(4564654))
    >>> anyio.run(main).report_id
    4564654
    """

    def __init__(
        self,
        environment: Environment,
        credentials: Credentials | None = None,
        *,
        http: "httpx.AsyncClient | None" = None,
        timeout: "Timeout | None" = None,
    ) -> None:
        from cybertip.adapters.transport.httpx_transport import AsyncHttpxTransport

        self._environment = environment
        self._transport = AsyncHttpxTransport(environment, credentials, http=http, timeout=timeout)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._environment}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. A client given as `http` stays open."""
        await self._transport.aclose()

    @property
    def environment(self) -> Environment:
        """Where this client's reports go."""
        return self._environment

    async def status(self) -> StatusReply:
        """Ask whether address and credentials are well. Nothing is filed.

        As `Client.status`. Clause: NCMEC, section 2, /status.
        """
        return await self._exchange(protocol.status())

    async def schema(self) -> SchemaReply:
        """Fetch the XSD that NCMEC validates reports with, to see a change coming.

        As `Client.schema`. Clause: NCMEC, section 2, /xsd.
        """
        return await self._exchange(protocol.schema())

    async def submit(self, report: Report, *, edition: Edition | str = DEFAULT_EDITION) -> Opened:
        """Open a report. It is not filed until it is finished, and deletes itself if that does not happen in time.

        As `Client.submit`. Clause: NCMEC, section 2, /submit.
        """
        return await self._exchange(protocol.submit(report, edition=edition))

    async def upload(
        self,
        report_id: ReportId,
        source: Source,
        *,
        name: str,
        media_type: str = "application/octet-stream",
        md5: str | None = None,
        progress: Progress | None = None,
    ) -> Uploaded:
        """Add a file to an open report, streamed block by block: no file is ever held in memory.

        As `Client.upload`; the source is opened, read and closed in threads. Clause: NCMEC, section 2, /upload.
        """
        async with AsyncBlocks(source, digest=md5 is None, progress=progress) as blocks:
            request = protocol.upload(report_id, name=name, media_type=media_type, size=blocks.size, md5=md5)
            return _understood(request, await self._transport.exchange(request, blocks), blocks.md5)

    async def describe(self, details: FileDetails, *, edition: Edition | str = DEFAULT_EDITION) -> Described:
        """Say what is known of an uploaded file, which the details name; once per file.

        As `Client.describe`. Clause: NCMEC, section 2, /fileinfo.
        """
        return await self._exchange(protocol.describe(details, edition=edition))

    async def finish(self, report_id: ReportId) -> Finished:
        """File the report. This cannot be taken back.

        As `Client.finish`. Clause: NCMEC, section 2, /finish.
        """
        return await self._exchange(protocol.finish(report_id))

    async def retract(self, report_id: ReportId) -> Retracted:
        """Drop a report that is not finished.

        As `Client.retract`. Clause: NCMEC, section 2, /retract.
        """
        return await self._exchange(protocol.retract(report_id))

    async def _exchange(self, request: Request[R]) -> R:
        return _understood(request, await self._transport.exchange(request))


def _understood(request: Request[R], answer: Answer, md5: str | None = None) -> R:
    return understand(request, answer.status, answer.headers, answer.body, fault=answer.fault, md5=md5)

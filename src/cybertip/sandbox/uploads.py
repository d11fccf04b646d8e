"""Files on their way in: digested chunk by chunk, and written to a folder if there is one. Never held in memory."""

import hashlib
import tempfile
from pathlib import Path

from cybertip.model.identifiers import FileId, ReportId

__all__ = ["Shelf", "Upload"]


class Upload:
    """Take one file as it arrives; then `settle` or `discard` it."""

    def __init__(self, folder: Path | None, filename: str | None, media_type: str | None) -> None:
        self.filename = filename
        self.media_type = media_type
        self.size = 0
        # NCMEC answers with an MD5: it proves receipt, and keeps no secret.
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()
        self._folder = folder
        self._file = (
            tempfile.NamedTemporaryFile(dir=folder, prefix=".incoming-", delete=False)  # noqa: SIM115 - outlives this call
            if folder is not None
            else None
        )

    @property
    def md5(self) -> str:
        return self._md5.hexdigest()

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    def write(self, chunk: bytes | memoryview) -> None:
        self.size += len(chunk)
        self._md5.update(chunk)
        self._sha256.update(chunk)
        if self._file is not None:
            self._file.write(chunk)

    def settle(self, report_id: ReportId, file_id: FileId) -> Path | None:
        """Move the bytes to their place, `<report>/<file>` in the folder, and return it; None where none are kept."""
        if self._file is None or self._folder is None:
            return None
        self._file.close()
        place = self._folder / str(report_id) / file_id
        place.parent.mkdir(exist_ok=True)
        place = Path(self._file.name).replace(place)
        self._file = None
        return place

    def discard(self) -> None:
        """Forget the bytes, unless they are settled."""
        if self._file is not None:
            self._file.close()
            Path(self._file.name).unlink(missing_ok=True)
            self._file = None


class Shelf:
    """Say where files go: to a folder, or nowhere."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def upload(self, filename: str | None, media_type: str | None) -> Upload:
        return Upload(self._folder, filename, media_type)

"""Every error a user can meet: one base, named one-line subclasses.

Each carries one plain sentence with the fix, in English and in Chinese. The command line prints the
sentence and hides the traceback; ``api.http.problems`` maps each class to an HTTP status.
"""


class WanmiError(Exception):
    """An error caused by input or surroundings, told in one sentence that names the fix.

    Parameters
    ----------
    message : str
        The sentence in English: what is wrong and what to do.
    zh : str
        The same sentence in Chinese, for HTTP clients and reports; English when empty.
    """

    code = "error"
    """Stable machine-readable name, used in problem documents."""

    def __init__(self, message: str, *, zh: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.zh = zh or message


class SettingsError(WanmiError):
    """A setting, city profile or environment variable is unknown or wrong."""

    code = "settings"


class WorkspaceError(WanmiError):
    """The workspace folder is missing, damaged or not writable."""

    code = "workspace"


class ClusterError(WanmiError):
    """The embedded PostgreSQL cluster can not be made, started or stopped."""

    code = "cluster"


class DatabaseError(WanmiError):
    """The database can not be reached, or is not at the version this program needs."""

    code = "database"


class LockedError(WanmiError):
    """Another writer holds the dataset."""

    code = "locked"


class DeliveryError(WanmiError):
    """A delivery or its manifest can not be loaded as it stands; nothing of it was loaded."""

    code = "delivery"


class FileFormatError(DeliveryError):
    """A delivered file is missing a part, truncated, empty or of a kind that is not read."""

    code = "file_format"


class EncodingError(DeliveryError):
    """The text encoding of a file can not be decided, or the stated one is wrong."""

    code = "encoding"


class CrsError(DeliveryError):
    """A coordinate reference system is missing, unknown, or contradicted by the data."""

    code = "crs"


class ConformError(DeliveryError):
    """A frame does not fit its declared table; the message lists all faults at once."""

    code = "conform"


class CodeError(WanmiError):
    """A code does not follow its pattern or is in no code table."""

    code = "code"


class BuildError(WanmiError):
    """A build can not be made or rolled back; the previous build stays live."""

    code = "build"


class SnapshotError(WanmiError):
    """No usable snapshot: none was compiled, or its checksum does not hold."""

    code = "snapshot"


class RequestError(WanmiError):
    """A question to the API is wrong: the sentence says which part, and how to ask."""

    code = "request"


class NotFoundError(WanmiError):
    """The thing asked for is not in the databases at that date."""

    code = "not_found"


class ConflictError(WanmiError):
    """The request contradicts what is already stored."""

    code = "conflict"


class AccessError(WanmiError):
    """The key is missing, revoked, or not allowed to do this."""

    code = "access"

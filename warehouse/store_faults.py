"""What is wrong with an object store, in one line that says the remedy.

Lance reports each fault of a store as an error whose text holds the answer, or that there was
none; which class of error depends on the call.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from typing import Final

from cole_core.errors import InputError
from warehouse.location import credentials_of, is_remote

FAULTS: Final = (OSError, ValueError, RuntimeError)
"""What a call of Lance may raise where a store is at fault."""

_IS_STORE = re.compile(
    r"Generic (S3|GCS|MicrosoftAzure|N/A) error|Failed to get AWS credentials"
    r"|Error performing (GET|PUT|POST|DELETE|HEAD|list|\w+ request)"
)
_CODE = re.compile(r"<Code>(\w+)</Code>")
_STATUS = re.compile(r"status code: (\d{3}[ \w]*)")
_SECRETS = re.compile(
    r"Forbidden|Unauthorized|AccessDenied|SignatureDoesNotMatch|InvalidAccessKeyId"
    r"|Failed to get AWS credentials|\b40[13]\b"
)
_FULL = re.compile(r"QuotaExceeded|InsufficientStorage|StorageFull|No space left|\b507\b", re.I)
_SILENT = re.compile(r"error sending request|timed out|Connection refused|dns error|HTTP error")
_AGAIN = "what was stored is kept, and the same command goes on from it"


def store_fault(error: BaseException, uri: str | None = None) -> InputError | None:
    """What a person can mend of a fault of an object store; None of any other fault.

    Args:
        error: What a call raised.
        uri: The store, without credentials; None where it is not known which.
    """
    said = str(error)
    if not _IS_STORE.search(said) or not (uri is None or is_remote(uri)):
        return None
    place = f"{uri or 'the object store'}{_endpoint()}"
    if "NoSuchBucket" in said:
        return InputError(
            f"there is no bucket for {place}: make it, or name another one with --vectors"
        )
    if _SECRETS.search(said):
        secrets = credentials_of(uri or "s3://")
        return InputError(f"{place} refuses these credentials: set {secrets} to what opens it")
    if _FULL.search(said):
        return InputError(f"{place} is full: make room there; {_AGAIN}")
    if _SILENT.search(said):
        return InputError(
            f"{place} does not answer: see that it runs and is reached from here; {_AGAIN}"
        )
    found = _CODE.search(said) or _STATUS.search(said)
    answer = found[1].strip() if found else "with a fault"
    return InputError(f"{place} answers {answer}: see that it is in order and has room; {_AGAIN}")


@contextlib.contextmanager
def told(uri: str | None = None) -> Iterator[None]:
    """Makes what a store is at fault for, within the block, an `InputError`."""
    try:
        yield
    except FAULTS as error:
        if (fault := store_fault(error, uri)) is not None:
            raise fault from error
        raise


def _endpoint() -> str:
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT")
    return "" if endpoint is None else f" at {re.sub(r'//[^/@]*@', '//', endpoint)}"

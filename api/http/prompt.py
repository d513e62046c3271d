"""Lookups answered before anything waits: the question, who asks and the data are all at hand.

Such an answer needs no timer, no task and no thread. Whatever has to wait (a key that is read anew, a
day that is indexed), whatever is wrong, and a key that asked too often go the way of every other
request, where it is told what is the matter.
"""

from starlette.types import Scope

from api.http.access import may
from api.http.asking import plain_question
from api.http.deciding import write_one
from api.http.gate import COUNTED, known_asker
from api.http.serving import Serving
from gis.errors import WanmiError


class PromptLookups:
    """Answers of ``GET /v1/lookup`` that are ready at once.

    Parameters
    ----------
    serving : Serving
        The parts of this worker.
    """

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    def __call__(self, scope: Scope) -> bytes | None:
        """Return the JSON of an answer; None: the request goes the way of every other."""
        asked = plain_question(scope["query_string"])
        if asked is None:
            return None
        serving = self._serving
        principal = known_asker(scope["headers"], options=serving.options, keyring=serving.keyring)
        if principal is None or not may(principal, "read"):
            return None
        scope["principal"] = principal
        limit = principal.requests_per_minute
        if limit is not None:
            if serving.limiter.take(principal.key_id, limit=limit):
                return None
            scope[COUNTED] = True
        try:
            return write_one(serving, principal, asked)
        except WanmiError:
            return None

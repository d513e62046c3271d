"""Cases 案件 on record: decided once, returned by a unit with its reason, decided again; history kept."""

from api.cases.listing import CaseFilter, CasePage, CaseSummary, list_cases
from api.cases.moving import Return, assign_case, close_case, reopen_case, return_case
from api.cases.posting import post_case
from api.cases.records import DuplicateHint, HistoryEntry, StoredCase, get_case

__all__ = [
    "CaseFilter",
    "CasePage",
    "CaseSummary",
    "DuplicateHint",
    "HistoryEntry",
    "Return",
    "StoredCase",
    "assign_case",
    "close_case",
    "get_case",
    "list_cases",
    "post_case",
    "reopen_case",
    "return_case",
]

"""Cases 案件 on record: decided once, returned by a unit with its reason, decided again; history kept."""

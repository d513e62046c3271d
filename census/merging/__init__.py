"""Merging 合并: two versions of a census that began from the same base, joined field by field."""

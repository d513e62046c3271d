"""Schema ``components``: conflicts that merging found, and components that got another code."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from gis.tables.columns import geometry, optional, required


def declare(metadata: MetaData, srid: int) -> None:
    """Declare the list of conflicts and the record of new codes."""
    conflict = Table(
        "conflict",
        metadata,
        Column(
            "conflict_id", BigInteger, Identity(always=True), primary_key=True, comment="conflict"
        ),
        required("build_id", BigInteger, "merge that found it; its delivery is the delivered side"),
        required(
            "kind",
            Text,
            "field, delete_update: delivered ends what live changed, update_delete: delivered "
            "changes what live ended, add_add: one code given twice, place: two codes at one place, "
            "recode: two new codes for one component",
        ),
        required("code", Text, "component code on the delivered side"),
        optional("live_code", Text, "code of the live component it is about; null: none is live"),
        optional("base_code", Text, "code in the base; null: it was not there"),
        optional(
            "field",
            Text,
            "field both changed, as attributes.KEY inside attributes; null: the whole row",
        ),
        optional("base_build_id", BigInteger, "build both sides began from; null: not known"),
        optional("base_value", JSONB, "value in the base; null: none or not there"),
        optional("live_value", JSONB, "value that is live; null: none or ended"),
        optional("delivered_value", JSONB, "value delivered; null: none or left out"),
        optional(
            "live_hash", Text, "content hash of the live row when the conflict was found or renewed"
        ),
        required(
            "fingerprint",
            Text,
            "SHA-256 of component, kind, field, base and delivered value: never listed twice",
        ),
        optional("source_file", Text, "delivered file"),
        optional("source_row", Integer, "1-based row number in that file"),
        required(
            "found_at", DateTime(timezone=True), "when it was found", server_default=func.now()
        ),
        required(
            "status",
            Text,
            "open, decided, settled: both sides agree by now",
            server_default=text("'open'"),
        ),
        optional("decision", Text, "live, delivered, base, both"),
        optional("because", Text, "reason of the decision"),
        optional("decided_by", Text, "who decided"),
        optional("decided_at", DateTime(timezone=True), "when decided"),
        optional("applied_build_id", BigInteger, "build that applied the decision"),
        geometry("GEOMETRY", srid, "where, in the city's CRS", nullable=True),
        schema="components",
        comment="conflicts 冲突 between a delivery and what is live, waiting for a decision or decided",
    )
    conflict.c.build_id.append_foreign_key(ForeignKey("meta.build.build_id", ondelete="CASCADE"))
    conflict.c.applied_build_id.append_foreign_key(ForeignKey("meta.build.build_id"))
    for name in ("build_id", "applied_build_id", "live_code"):
        Index(f"ix_conflict_{name}", conflict.c[name])
    Index("uq_conflict_fingerprint", conflict.c.fingerprint, unique=True)
    recode = Table(
        "recode",
        metadata,
        Column(
            "build_id",
            BigInteger,
            ForeignKey("meta.build.build_id", ondelete="CASCADE"),
            primary_key=True,
            comment="build that gave the new code",
        ),
        Column("code", Text, primary_key=True, comment="new component code"),
        required("former_code", Text, "code before"),
        required(
            "evidence",
            Text,
            "base: the row named its version; place: same class at the same place; decision",
        ),
        schema="components",
        comment="components that a merge gave another code",
    )
    Index("ix_recode_code", recode.c.code)
    Index("ix_recode_former_code", recode.c.former_code)

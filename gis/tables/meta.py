"""Schema ``meta``: what was delivered, built, refused, changed, and who may ask."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
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

from gis.tables.columns import document, geometry, optional, required

_NOW = func.now()


def declare(metadata: MetaData, srid: int) -> None:
    """Declare the bookkeeping tables."""
    Table(
        "delivery",
        metadata,
        Column(
            "delivery_id", BigInteger, Identity(always=True), primary_key=True, comment="delivery"
        ),
        required("name", Text, "name the contractor gave it in delivery.toml"),
        required("as_of", Date, "day whose state the delivery describes"),
        required("path", Text, "folder it was read from"),
        required("content_hash", Text, "SHA-256 over manifest and files"),
        required("received_at", DateTime(timezone=True), "first build", server_default=_NOW),
        schema="meta",
        comment="deliveries 交付 that were built",
    )
    build = Table(
        "build",
        metadata,
        Column("build_id", BigInteger, Identity(always=True), primary_key=True, comment="build"),
        required("delivery_id", BigInteger, "its delivery", key="delivery_id"),
        required("dataset", Text, "dataset built, as in delivery.toml"),
        required("as_of", Date, "day from which its rows hold"),
        required("status", Text, "live, rolled_back"),
        required("content_hash", Text, "SHA-256 of the dataset's files and manifest layers"),
        required("rows_read", Integer, "rows in the files"),
        required("rows_accepted", Integer, "rows that passed"),
        required("rows_rejected", Integer, "rows in meta.reject"),
        required("rows_opened", Integer, "new versions written"),
        required("rows_closed", Integer, "old versions closed"),
        required("rows_unchanged", Integer, "accepted rows equal to the live version"),
        document("files", "file -> SHA-256, encoding, CRS, row count, warnings"),
        required("started_at", DateTime(timezone=True), "start", server_default=_NOW),
        required("finished_at", DateTime(timezone=True), "commit", server_default=_NOW),
        required("software_version", Text, "version of Wanmi that built it"),
        optional(
            "corrects_build_id",
            BigInteger,
            "build whose refused rows this one loads corrected; null: a whole delivery",
        ),
        schema="meta",
        comment="builds: one dataset of one delivery, committed whole",
    )
    build.c.delivery_id.append_foreign_key(ForeignKey("meta.delivery.delivery_id"))
    build.c.corrects_build_id.append_foreign_key(ForeignKey("meta.build.build_id"))
    Index("ix_build_dataset", build.c.dataset, build.c.build_id)
    Index("ix_build_delivery_id", build.c.delivery_id)
    reject = Table(
        "reject",
        metadata,
        Column("reject_id", BigInteger, Identity(always=True), primary_key=True, comment="reject"),
        required("build_id", BigInteger, "build that refused it"),
        required("dataset", Text, "dataset"),
        required("source_file", Text, "file"),
        required("source_row", Integer, "1-based row number in the file; 0: not one row"),
        optional("code", Text, "business key as delivered"),
        required("rule", Text, "rule code, see gis/codes/rules.csv"),
        required("severity", Text, "error: the row was not loaded; warning: it was"),
        required("reason_en", Text, "what is wrong with this row"),
        required("reason_zh", Text, "the same in Chinese"),
        document("record", "the row as delivered, all columns"),
        geometry("GEOMETRY", srid, "where, in the city's CRS, if it can be shown", nullable=True),
        optional(
            "resolved_build_id",
            BigInteger,
            "build that judged the row anew, corrected; null: the fault stands",
        ),
        schema="meta",
        comment="rows refused or doubted, with rule and reason; never lost",
    )
    reject.c.build_id.append_foreign_key(ForeignKey("meta.build.build_id", ondelete="CASCADE"))
    reject.c.resolved_build_id.append_foreign_key(ForeignKey("meta.build.build_id"))
    Index("ix_reject_build_id", reject.c.build_id, reject.c.rule)
    Index("ix_reject_resolved_build_id", reject.c.resolved_build_id)
    Table(
        "audit",
        metadata,
        Column("audit_id", BigInteger, Identity(always=True), primary_key=True, comment="entry"),
        required("at", DateTime(timezone=True), "when", server_default=_NOW),
        required("actor", Text, "operating system user or key id"),
        required("action", Text, "build, rollback, key_create, key_revoke, case_return …"),
        document("detail", "what exactly"),
        schema="meta",
        comment="who changed what",
    )
    Table(
        "api_key",
        metadata,
        Column("key_id", Text, primary_key=True, comment="public part of the key"),
        required("name", Text, "whom it was given to"),
        required("role", Text, "reader, workflow, surveyor, admin"),
        Column(
            "districts",
            ARRAY(Text),
            nullable=False,
            server_default=text("'{}'"),
            comment="six-digit codes it is limited to; empty: the whole city",
        ),
        required("key_hash", Text, "SHA-256 of the secret part"),
        required("is_revoked", Boolean, "no longer valid", server_default=text("false")),
        required("requests_per_minute", Integer, "rate limit", server_default=text("6000")),
        required("created_at", DateTime(timezone=True), "made", server_default=_NOW),
        optional("revoked_at", DateTime(timezone=True), "revoked"),
        schema="meta",
        comment="API keys, hashed",
    )

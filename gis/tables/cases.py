"""Schema ``cases``: what was reported and decided; the only one the API writes."""

from sqlalchemy import (
    DOUBLE_PRECISION,
    BigInteger,
    Boolean,
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

from gis.tables.columns import document, geometry, optional, required


def declare(metadata: MetaData, srid: int) -> None:
    """Declare cases and their history."""
    _declare_repeats(metadata)
    case = Table(
        "case",
        metadata,
        Column(
            "case_id", Text, primary_key=True, comment="identifier given by the workflow system"
        ),
        required("kind", Text, "component or event"),
        required("class_code", Text, "minor class"),
        required("reported_at", DateTime(timezone=True), "when it was reported"),
        optional("channel", Text, "supervisor, hotline, app …"),
        optional("description", Text, "words of the report"),
        optional("address", Text, "address as reported"),
        optional("x", DOUBLE_PRECISION, "east or longitude as reported"),
        optional("y", DOUBLE_PRECISION, "north or latitude as reported"),
        optional("crs", Text, "CRS of x, y as reported"),
        optional("accuracy_m", DOUBLE_PRECISION, "stated accuracy of the position, m"),
        optional("component_code", Text, "component named in the report"),
        geometry("POINT", srid, "where the case was located", nullable=True),
        optional("grid_code", Text, "unit grid decided"),
        optional("community_code", Text, "community decided"),
        optional("unit_code", Text, "owning unit 责任单位 decided"),
        optional("probability", DOUBLE_PRECISION, "probability of the decision, 0-1"),
        required("needs_review", Boolean, "a person should look"),
        document("decision", "the decision in full"),
        required("state", Text, "received, assigned, returned, closed"),
        optional("data_version", Text, "snapshot that decided"),
        optional("closed_at", DateTime(timezone=True), "when it was closed"),
        required("request_hash", Text, "hash of the request, for idempotent posting"),
        optional("build_id", BigInteger, "build that imported it; null: posted"),
        required("created_at", DateTime(timezone=True), "stored", server_default=func.now()),
        document(
            "request",
            "the report as it was posted, to decide it again; empty: imported, the columns say it",
        ),
        optional("district_code", Text, "district 区县 decided"),
        optional(
            "due_at",
            DateTime(timezone=True),
            "when the time limit 处置时限 ends; null: no limit; the decision says whether it is provisional",
        ),
        _counted("returns", "how often units sent it back 退件次数"),
        _counted("reopened", "how often it was reopened after it was closed"),
        optional(
            "handled_by",
            Text,
            "unit that handled it at last 处置单位, a code where the directory knows it",
        ),
        optional("duplicate_of", Text, "case of which a person says it is a repeat"),
        schema="cases",
        comment="cases 案件",
    )
    case.c.build_id.append_foreign_key(ForeignKey("meta.build.build_id"))
    Index("ix_case_build_id", case.c.build_id)
    Index("ix_case_grid_code", case.c.grid_code, case.c.reported_at)
    Index("ix_case_geom", case.c.geom, postgresql_using="gist")
    Index("ix_case_reported_at", case.c.reported_at, case.c.case_id)
    Index("ix_case_unit_code", case.c.unit_code, case.c.reported_at, case.c.case_id)
    Index("ix_case_class_code", case.c.class_code, case.c.reported_at, case.c.case_id)
    Index(
        "ix_case_open",
        case.c.state,
        case.c.reported_at,
        case.c.case_id,
        postgresql_where=text("state <> 'closed'"),
    )
    Index("ix_case_waiting", case.c.case_id, postgresql_where=text("data_version IS NULL"))
    history = Table(
        "history",
        metadata,
        Column("history_id", BigInteger, Identity(always=True), primary_key=True, comment="entry"),
        required("case_id", Text, "case"),
        required("at", DateTime(timezone=True), "when", server_default=func.now()),
        required("action", Text, "assigned, returned, reassigned, closed, reopened"),
        optional("unit_code", Text, "owning unit after the action"),
        optional("reason", Text, "reason, as with a return 退件"),
        required("actor", Text, "key id or operating system user"),
        document("decision", "decision after the action"),
        optional(
            "category",
            Text,
            "why a unit sent the case back: a code of gis/codes/return_reasons.csv",
        ),
        optional(
            "suggested_unit_code",
            Text,
            "unit that the refusing unit, or a person, says it is for",
        ),
        optional("build_id", BigInteger, "build that imported this entry; null: it happened here"),
        schema="cases",
        comment="what happened to each case",
    )
    history.c.case_id.append_foreign_key(ForeignKey("cases.case.case_id", ondelete="CASCADE"))
    history.c.build_id.append_foreign_key(ForeignKey("meta.build.build_id"))
    Index("ix_history_case_id", history.c.case_id, history.c.history_id)
    Index("ix_history_build_id", history.c.build_id)
    Index(
        "ix_history_returned",
        history.c.case_id,
        postgresql_where=text("action = 'returned'"),
    )


def _declare_repeats(metadata: MetaData) -> None:
    Table(
        "repeats",
        metadata,
        Column(
            "learned_at",
            DateTime(timezone=True),
            primary_key=True,
            server_default=func.now(),
            comment="when it was learned; the newest counts",
        ),
        required("cases", BigInteger, "cases of the history compared"),
        required(
            "factor",
            DOUBLE_PRECISION,
            "how many times as often as api/cases/duplicate_windows.csv says cases are repeated",
        ),
        schema="cases",
        comment="how often cases are repeated 重复案件 in this city",
    )


def _counted(name: str, comment: str) -> Column[int]:
    return required(name, Integer, comment, server_default=text("0"))

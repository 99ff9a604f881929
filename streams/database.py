"""The way to Postgres: an engine, and the schema brought up to date."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.resources import files

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from streams.errors import FairwayError

UPGRADE_LOCK, OUTBOX_LOCK = 0x_FA1_0001, 0x_FA1_0002
"""Advisory locks: one upgrade at a time, one publisher of the outbox at a time."""

_UNDEFINED_TABLE = "42P01"
_MIGRATIONS = str(files("models") / "migrations")

UNREACHABLE = (OSError, TimeoutError, DBAPIError)
"""What a database that is away, starting, stopping or gone half-way raises."""

# SQLSTATE classes of what is no fault of the data: connections, states of a transaction, access, the schema,
# resources, locks, operators, the system. (Appendix A of Postgres' manual.)
_OUTAGES = ("08", "0A", "25", "28", "3D", "3F", "40", "42", "53", "55", "57", "58")


def create_engine(url: str, *, connections: int = 5, session: Mapping[str, str] | None = None) -> AsyncEngine:
    """Return an engine for a postgresql:// URL; connects at first use, and tests connections before reuse.

    `session` holds settings of Postgres for its connections.
    """
    return create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,  # they are personal data, and errors are logged
        connect_args={
            "timeout": 10,
            "server_settings": {"application_name": "fairway", "timezone": "UTC", **(session or {})},
        },
    )


def is_outage(error: BaseException) -> bool:
    """Say whether Postgres failed, so that the same may succeed later, or refused what it was given."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, OSError | TimeoutError)
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # the driver's own: a connection that is gone, unless it can't encode a value
        return not isinstance(getattr(error.orig, "__cause__", None), ValueError)
    return str(state).startswith(_OUTAGES)


@asynccontextmanager
async def reach(engine: AsyncEngine) -> AsyncIterator[AsyncEngine]:
    """Lend an engine to a command; raises FairwayError where Postgres doesn't answer or lacks the tables."""
    try:
        yield engine
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", "") != _UNDEFINED_TABLE:
            raise
        raise FairwayError("The database lacks the tables of Fairway; run 'fairway db upgrade'.") from None
    except UNREACHABLE as error:
        where = f"'{engine.url.host}:{engine.url.port}'"
        reason = str(getattr(error, "orig", error)).partition("\n")[0]
        raise FairwayError(f"Postgres can't be used at {where} (FAIRWAY_DATABASE_URL): {reason}.") from None
    finally:
        await engine.dispose()


async def upgrade(engine: AsyncEngine) -> tuple[str | None, str | None]:
    """Bring the schema up to date in one transaction, one process at a time; return (revision before, after)."""
    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})
        before = await connection.run_sync(_revision)
        await connection.run_sync(_migrate)
        return before, await connection.run_sync(_revision)


async def find_revisions(engine: AsyncEngine) -> tuple[str | None, str | None]:
    """Return the revision of the database's tables, and that of this Fairway's."""
    from alembic.script import ScriptDirectory

    async with engine.connect() as connection:
        return await connection.run_sync(_revision), ScriptDirectory(_MIGRATIONS).get_current_head()


def _revision(connection: Connection) -> str | None:
    from alembic.runtime.migration import MigrationContext  # half a second, which workers don't need

    return MigrationContext.configure(connection).get_current_revision()


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", _MIGRATIONS)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")

"""Declarations in: the files of a checkout, in any format that we read; each import replaces the one of its name."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from whence.api.access import needs
from whence.api.context import Context, Ctx
from whence.api.imports import KIND, Import, Kept, from_document, read_imports, stated, to_document
from whence.errors import InvalidQuery, NotFound
from whence.model.times import format_time
from whence.tokens import Scope

MAX_FILES = 2_000

router = APIRouter(prefix="/api/v1/declarations", tags=["declarations"])

Name = Annotated[str, Path(min_length=1, max_length=256, description="What was imported: a repository, as a rule.")]


class FileBody(BaseModel):
    """One file of a checkout."""

    model_config = ConfigDict(frozen=True)

    path: str = Field(min_length=1, max_length=1024, description="Relative to the checkout, with '/'.")
    text: str


class ImportBody(BaseModel):
    """The files of one checkout."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(min_length=1, max_length=256, description="What is imported: a repository, as a rule.")
    revision: str = Field("", max_length=256, description="Commit of the checkout.")
    files: list[FileBody] = Field(max_length=MAX_FILES)


class FileJson(TypedDict):
    """What one file stated; ``problem`` says why it could not be read."""

    path: str
    format: str | None
    edges: int
    things: int
    problem: str | None


class ImportJson(TypedDict):
    """One import. Files that state nothing are left out.

    ``url`` is where the settings have it fetched from; ``problem`` why the last fetch brought nothing.
    """

    name: str
    revision: str | None
    url: str | None
    problem: str | None
    imported_at: str
    edges: int
    things: int
    files: list[FileJson]


class ImportsJson(TypedDict):
    """All imports, by name."""

    items: list[ImportJson]


@router.post("", status_code=201, dependencies=[needs(Scope.WRITE)])
async def import_files(body: Annotated[ImportBody, Body()], context: Ctx) -> ImportJson:
    """Take what files state. What the import of this name stated before is gone, whole."""
    return await _keep(context, body.name, body.revision, {file.path: file.text for file in body.files})


@router.put("/{name:path}", dependencies=[needs(Scope.WRITE)])
async def import_file(
    name: Name,
    context: Ctx,
    request: Request,
    path: Annotated[str, Query(max_length=1024, description="Name of the file, by which some formats are told.")] = "",
    revision: Annotated[str, Query(max_length=256)] = "",
) -> ImportJson:
    """Take one file as the request's body; otherwise as above."""
    try:
        text = (await request.body()).decode()
    except UnicodeDecodeError as error:
        raise InvalidQuery("body", f"not UTF-8: {error}") from None
    return await _keep(context, name, revision, {path or name: text})


@router.get("", dependencies=[needs(Scope.READ)])
async def list_imports(context: Ctx) -> ImportsJson:
    """Every import."""
    return {"items": [_json(kept) for kept in await read_imports(context.store)]}


@router.get("/{name:path}", dependencies=[needs(Scope.READ)])
async def read_import(name: Name, context: Ctx) -> ImportJson:
    """One import."""
    return _json(await _kept(context, name))


@router.delete("/{name:path}", status_code=204, dependencies=[needs(Scope.WRITE)])
async def remove_import(name: Name, context: Ctx) -> Response:
    """Forget everything that an import stated."""
    await _kept(context, name)
    await context.store.delete(KIND, name)
    return Response(status_code=204)


async def _keep(context: Context, name: str, revision: str, texts: dict[str, str]) -> ImportJson:
    kept = Kept(name, context.clock(), Import(revision, *stated(texts)))
    await context.store.save(to_document(kept))
    return _json(kept)


async def _kept(context: Context, name: str) -> Kept:
    document = await context.store.document(KIND, name)
    if document is None:
        raise NotFound(f"nothing was imported as {name[:100]!r}")
    return from_document(document)


def _json(kept: Kept) -> ImportJson:
    content = kept.content
    return {
        "name": kept.name,
        "revision": content.revision or None,
        "url": content.url or None,
        "problem": content.problem or None,
        "imported_at": format_time(kept.imported_ns),
        "edges": len(content.statements.edges),
        "things": len(content.statements.things),
        "files": [
            {
                "path": one.path,
                "format": one.format or None,
                "edges": one.edges,
                "things": one.things,
                "problem": one.problem or None,
            }
            for one in content.files
        ],
    }

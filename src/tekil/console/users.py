"""Users and roles: who may sign in, what each role may do, and who has which."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from tekil.access.policy import ROLES, STEP_UP, Permission
from tekil.api import needs, segment
from tekil.api import reference as decode
from tekil.api.routes import StoreHere
from tekil.console.forms import Form, FormHere
from tekil.console.gate import is_fresh
from tekil.console.pages import Pages, PagesHere, go
from tekil.console.visit import Visit, VisitHere
from tekil.errors import BadRequest
from tekil.privacy.typed import typed_condition
from tekil.store import Store

READ = needs(Permission.USERS_READ)
WRITE = needs(Permission.USERS_WRITE)


@get("/users", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_users(visit: VisitHere, pages: PagesHere, store: StoreHere) -> Response[str]:
    """Show all users, and the form that makes one."""
    return _list(visit, pages, store, Form({}))


def _list(visit: Visit, pages: Pages, store: Store, form: Form, **more: str) -> Response[str]:
    told = {"secret": "", "secret_of": "", "refusal": "", **more}
    return pages.show(
        visit,
        "users.html",
        status=400 if told["refusal"] else 200,
        page="users",
        users=store.users.all(),
        roles=list(ROLES),
        form=form,
        fresh=is_fresh(visit),
        **told,
    )


@post("/users", opt=WRITE, status_code=200, include_in_schema=False, sync_to_thread=True)
def create_user(visit: VisitHere, form: FormHere, pages: PagesHere, store: StoreHere) -> Response[str]:
    """Make a user and show the password for their first sign-in, this once."""
    name = form.one("name")
    try:
        condition = typed_condition(form.one("condition"))
        password = store.users.create(name, form.all("role"), condition, visit.actor)
    except BadRequest as error:
        return _list(visit, pages, store, form, refusal=_told(visit, error))
    return _list(visit, pages, store, Form({}), secret=password, secret_of=name)


def _told(visit: Visit, error: BadRequest) -> str:
    return visit.words.known(f"error.{error.code}", error.message)


@get("/users/{name:str}", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_user(name: FromPath[str], visit: VisitHere, pages: PagesHere, store: StoreHere) -> Response[str]:
    """Show one user: their roles, their rule, their sessions."""
    return _one(visit, pages, store, decode(name))


def _one(visit: Visit, pages: Pages, store: Store, name: str, **more: Any) -> Response[str]:
    told = {"secret": "", "refusal": "", **more}
    user = store.users.get(name.replace("\0", ""))
    return pages.show(
        visit,
        "user.html",
        status=400 if told["refusal"] else 200,
        page="users",
        user=user,
        sessions=store.sessions.of(user.name),
        roles=list(ROLES),
        fresh=is_fresh(visit),
        **told,
    )


@post("/users/{name:str}/roles", opt=WRITE, status_code=200, include_in_schema=False, sync_to_thread=True)
def set_roles(
    name: FromPath[str], visit: VisitHere, form: FormHere, pages: PagesHere, store: StoreHere
) -> Response[str] | Redirect:
    """Give a user roles and an attribute rule."""
    try:
        condition = typed_condition(form.one("condition"))
        store.users.set_roles(decode(name), form.all("role"), condition, visit.actor)
    except BadRequest as error:
        return _one(visit, pages, store, decode(name), refusal=_told(visit, error))
    return go(f"/users/{segment(decode(name))}")


@post("/users/{name:str}/enabled", opt=WRITE, status_code=200, include_in_schema=False, sync_to_thread=True)
def set_enabled(
    name: FromPath[str], visit: VisitHere, form: FormHere, pages: PagesHere, store: StoreHere
) -> Response[str] | Redirect:
    """Let a user sign in, or no longer."""
    try:
        store.users.set_enabled(decode(name), form.one("enabled") == "yes", visit.actor)
    except BadRequest as error:
        return _one(visit, pages, store, decode(name), refusal=_told(visit, error))
    return go(f"/users/{segment(decode(name))}")


@post("/users/{name:str}/password", opt=WRITE, status_code=200, include_in_schema=False, sync_to_thread=True)
def reset_password(
    name: FromPath[str], visit: VisitHere, pages: PagesHere, store: StoreHere
) -> Response[str]:
    """Give a user a password for one sign-in, shown this once."""
    password = store.users.reset_password(decode(name), visit.actor)
    return _one(visit, pages, store, decode(name), secret=password)


@post("/users/{name:str}/second-factor/off", opt=WRITE, include_in_schema=False, sync_to_thread=True)
def forget_second_factor(name: FromPath[str], visit: VisitHere, store: StoreHere) -> Redirect:
    """Forget the second factor of somebody who lost it, after they proved who they are in another way."""
    user = store.users.get(decode(name)).name
    store.second_factors.remove(user, visit.actor)
    store.passkeys.remove_all(user, visit.actor)
    return go(f"/users/{segment(decode(name))}")


@post(
    "/users/{name:str}/sessions/{session_id:str}/end", opt=WRITE, include_in_schema=False, sync_to_thread=True
)
def end_session(
    name: FromPath[str], session_id: FromPath[str], visit: VisitHere, store: StoreHere
) -> Redirect:
    """End one of a user's sessions."""
    store.sessions.end_one(decode(name), decode(session_id), visit.actor)
    return go(f"/users/{segment(decode(name))}")


@get("/roles", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_roles(visit: VisitHere, pages: PagesHere) -> Response[str]:
    """Show the written policy as it is applied: permissions by module, and which role holds each."""
    modules: dict[str, list[Permission]] = {}
    for permission in Permission:
        modules.setdefault(permission.partition(":")[0], []).append(permission)
    return pages.show(visit, "roles.html", page="roles", modules=modules, roles=ROLES, step_up=STEP_UP)


ROUTES = [
    show_users,
    create_user,
    show_user,
    set_roles,
    set_enabled,
    reset_password,
    forget_second_factor,
    end_session,
    show_roles,
]

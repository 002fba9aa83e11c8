"""Rules on the source of journeys and their helpers. Each takes a module and yields what is wrong in it."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Iterator

from tabiji.journey.check.findings import Finding, Module, Severity, own_nodes
from tabiji.journey.journey import Journey
from tabiji.journey.places import Function, receivers_of
from tabiji.journey.vocabulary import NO_COROUTINE, VERBS

Rule = Callable[[Module], Iterator[Finding]]

_CANCELLED = frozenset({"asyncio.CancelledError", "asyncio.exceptions.CancelledError", "BaseException"})
_CLOCKS = frozenset(
    {
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "datetime.datetime.today",
        "datetime.date.today",
        "time.time",
        "time.time_ns",
        "time.monotonic",
        "time.perf_counter",
        "temporalio.workflow.now",
        "temporalio.workflow.time",
    }
)
_SLEEPS = frozenset({"time.sleep", "asyncio.sleep", "temporalio.workflow.sleep"})
_CHANCES = frozenset(
    {"uuid.uuid1", "uuid.uuid4", "temporalio.workflow.uuid4", "temporalio.workflow.random", "os.urandom"}
)


def bare_except(module: Module) -> Iterator[Finding]:
    """`except:` catches the end of the journey."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield module.found(
                "bare-except", node, "a bare except catches the end of the journey, too.", "Say `except Exception`."
            )


def catches_the_end(module: Module) -> Iterator[Finding]:
    """A goal ends a journey by cancelling it: who catches that goes on with steps that are refused."""
    for node in ast.walk(module.tree):
        match node:
            case ast.ExceptHandler(type=ast.expr() as kind):
                kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
            case ast.Call(func=func, args=args) if module.means(func) == "contextlib.suppress":
                kinds = args
            case _:
                continue
        for one in kinds:
            if module.means(one) in _CANCELLED:
                yield module.found(
                    "catches-the-end",
                    node,
                    f"{ast.unparse(one)} is how a goal, an exit or a person ends the journey.",
                    "Let it pass: catch Exception, or what you mean.",
                )


def verb_in_finally(module: Module) -> Iterator[Finding]:
    """No step begins once a journey is over, and `finally` runs when it is."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Try | ast.TryStar):
            for call in (one for last in node.finalbody for one in ast.walk(last)):
                if isinstance(call, ast.Call) and (verb := _verb(call)) is not None:
                    yield module.found(
                        "verb-in-finally",
                        call,
                        f"{verb}() in finally is refused when the journey has ended.",
                        "Put it after the try, or let the goal hand over to a journey: goal=on(…, then=…).",
                    )


def unawaited_verb(module: Module) -> Iterator[Finding]:
    """A verb without `await` does nothing."""
    for function in module.functions:
        read = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        for node in own_nodes(function):
            match node:
                case ast.Expr(value=ast.Call() as call):
                    unused = True
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                    unused = name not in read
                case _:
                    continue
            called = _verb(call) if _on_journey(call, function) else None
            called = called or _helper(call, module)
            if unused and called is not None and called not in NO_COROUTINE:
                yield module.found(
                    "not-awaited",
                    call,
                    f"{called}() is not awaited: nothing happens.",
                    f"Say `await {ast.unparse(call.func)}(…)`, or hand it to asyncio.gather.",
                )


def clock(module: Module) -> Iterator[Finding]:
    """The clock of the machine gives another answer each time the code is run again."""
    for call, name in _calls(module):
        if name in _CLOCKS:
            yield module.found(
                "clock", call, f"{name}() is not the journey's clock, and is not kept.", "Say `self.now()`."
            )
        elif name in _SLEEPS:
            yield module.found("clock", call, f"{name}() does not run at journey time.", "Say `await self.wait(…)`.")


def chance(module: Module) -> Iterator[Finding]:
    """Chance is another one when the code is run again, or when people are moved to new code."""
    for call, name in _calls(module):
        if name in _CHANCES or name.startswith(("random.", "secrets.")):
            yield module.found(
                "chance",
                call,
                f"{name}() is drawn anew when the code runs again.",
                'Say `await self.split("name", Arm)`, or leave it to an activity: `await self.do("…")`.',
            )


def state_from_signals(module: Module) -> Iterator[Finding]:
    """What a handler keeps in the object is gone when people are moved to new code: signals are not in the journal."""
    for function in module.functions:
        handled = {module.means(_called(one)) for one in function.decorator_list}
        if not handled & {"temporalio.workflow.signal", "temporalio.workflow.update"}:
            continue
        for node in own_nodes(function):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                yield module.found(
                    "own-state",
                    node,
                    f"{ast.unparse(node)} is set by a signal and forgotten when people go on in newer code.",
                    "Send an event instead, and wait for it: `await self.wait_for(on(…), timeout=…)`.",
                    severity=Severity.WARNING,
                )


def misspelt_verb(module: Module) -> Iterator[Finding]:
    """`self.send_mail(…)`: no such verb."""
    for classes in (node for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)):
        if not _is_journey(classes, module):
            continue
        known = {*dir(Journey), *_own_attributes(classes)}
        for node in ast.walk(classes):
            match node:
                case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Load()) if name not in known:
                    near = difflib.get_close_matches(name, [*VERBS, *_own_attributes(classes)], 1)
                    remedy = (
                        f"Did you mean `self.{near[0]}`?" if near else "Verbs are listed in docs/writing-journeys.md."
                    )
                    yield module.found("unknown-verb", node, f"a Journey has no {name!r}.", remedy)
                case _:
                    pass


RULES: tuple[Rule, ...] = (
    bare_except,
    catches_the_end,
    verb_in_finally,
    unawaited_verb,
    clock,
    chance,
    state_from_signals,
    misspelt_verb,
)


def _verb(call: ast.Call) -> str | None:
    match call.func:
        case ast.Attribute(value=ast.Name(), attr=verb) if verb in VERBS:
            return verb
        case _:
            return None


def _on_journey(call: ast.Call, function: Function) -> bool:
    match call.func:
        case ast.Attribute(value=ast.Name(id=receiver)):
            return receivers_of(function).get(receiver, False) or receiver == "self"
        case _:
            return False


def _helper(call: ast.Call, module: Module) -> str | None:
    """The coroutine of this file that a call makes."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self"), attr=name):
            made = [one for one in module.functions if one.name == name]
            return name if made and all(isinstance(one, ast.AsyncFunctionDef) for one in made) else None
        case _:
            return None


def _calls(module: Module) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            yield node, module.means(node.func)


def _called(decorator: ast.expr) -> ast.expr:
    return decorator.func if isinstance(decorator, ast.Call) else decorator


def _is_journey(node: ast.ClassDef, module: Module) -> bool:
    """Whether a class is a journey and nothing else: what other bases bring is not known here."""
    return [module.means(base).rpartition(".")[2] for base in node.bases] == ["Journey"]


def _own_attributes(node: ast.ClassDef) -> set[str]:
    found: set[str] = set()
    for one in ast.walk(node):
        match one:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                found.add(name)
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                found.add(name)
            case _:
                pass
    return found

"""Each row of the signature table, and each refusal at import."""

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import pytest

from indiflask import App, Blob, DeclarationError, Member, Number, Reply, State
from indiflask.declare import Declaration, declare
from indiflask.options import Options, Word
from indiflask.protocol.messages import Kind, Permission, Rule


def function_name(value: object) -> str | None:
    return getattr(value, "__name__", None)


class Sky(NamedTuple):
    RA: Annotated[float, Number(max=24)] = 0
    DEC: float = 90


@dataclass
class Limits:
    low: Annotated[float, Number("LOW")]
    high: int = 5


class Way(enum.Enum):
    OPEN = 1
    CLOSED = 2


def switch(on: bool) -> None: ...
def two_switches(a: bool, b: bool = True) -> None: ...
def one_of(to: Literal["PARK", "UNPARK"] = "UNPARK") -> None: ...
def one_of_enum(to: Way) -> None: ...
def at_most(to: Literal["A", "B"] | None = None) -> None: ...
def some_of(to: set[Literal["A", "B"]]) -> None: ...
def number(steps: Annotated[float, Number("STEPS", min=5, max=10)]) -> None: ...
def numbers(x: float, y: int = 3) -> None: ...
def text(name: Annotated[str, Member("NAME", label="Name")] = "?") -> None: ...
def record(sky: Sky) -> None: ...
def data_record(limits: Limits) -> None: ...
def by_name(volts: dict[str, float]) -> None: ...
def press() -> None: ...
def press_one(which: Literal["A", "B"]) -> None: ...
def upload(data: Blob) -> None: ...
def measured() -> float:
    return 0


async def lamp() -> State:
    return State.OK


def measured_sky() -> Reply[Sky]:
    return Reply(Sky())


def read_choice() -> Literal["A", "B"]:
    return "A"


BY_HAND: Options = {"members": ["A", Number("B", min=2, max=3)]}
ROWS: list[tuple[Word, Callable[..., Any], Options, Kind, Rule | None, Permission, dict[str, Any]]] = [
    ("switch", switch, {}, Kind.SWITCH, Rule.ANY_OF_MANY, Permission.RW, {"on": False}),
    ("switch", two_switches, {}, Kind.SWITCH, Rule.ANY_OF_MANY, Permission.RW, {"a": False, "b": True}),
    ("switch", one_of, {}, Kind.SWITCH, Rule.ONE_OF_MANY, Permission.RW, {"PARK": False, "UNPARK": True}),
    ("switch", one_of_enum, {}, Kind.SWITCH, Rule.ONE_OF_MANY, Permission.RW, {"OPEN": True, "CLOSED": False}),
    ("switch", at_most, {}, Kind.SWITCH, Rule.AT_MOST_ONE, Permission.RW, {"A": False, "B": False}),
    ("switch", some_of, {}, Kind.SWITCH, Rule.ANY_OF_MANY, Permission.RW, {"A": False, "B": False}),
    ("switch", read_choice, {}, Kind.SWITCH, Rule.ONE_OF_MANY, Permission.RO, {"A": True, "B": False}),
    ("button", press, {"member": "ABORT"}, Kind.SWITCH, Rule.AT_MOST_ONE, Permission.RW, {"ABORT": False}),
    ("button", press, {}, Kind.SWITCH, Rule.AT_MOST_ONE, Permission.RW, {"P": False}),
    ("button", press_one, {}, Kind.SWITCH, Rule.AT_MOST_ONE, Permission.RW, {"A": False, "B": False}),
    ("number", number, {}, Kind.NUMBER, None, Permission.RW, {"STEPS": 5}),
    ("number", numbers, {}, Kind.NUMBER, None, Permission.RW, {"x": 0, "y": 3}),
    ("number", record, {}, Kind.NUMBER, None, Permission.RW, {"RA": 0, "DEC": 90}),
    ("number", data_record, {}, Kind.NUMBER, None, Permission.RW, {"LOW": 0, "high": 5}),
    ("number", by_name, BY_HAND, Kind.NUMBER, None, Permission.RW, {"A": 0, "B": 2}),
    ("number", measured, {"member": "T"}, Kind.NUMBER, None, Permission.RO, {"T": 0}),
    ("number", measured, {}, Kind.NUMBER, None, Permission.RO, {"P": 0}),
    ("number", measured_sky, {}, Kind.NUMBER, None, Permission.RO, {"RA": 0, "DEC": 90}),
    ("text", text, {}, Kind.TEXT, None, Permission.RW, {"NAME": "?"}),
    ("light", lamp, {}, Kind.LIGHT, None, Permission.RO, {"P": State.IDLE}),
    ("blob", upload, {}, Kind.BLOB, None, Permission.RW, {"P": None}),
]


@pytest.mark.parametrize("word, function, options, kind, rule, permission, first", ROWS, ids=function_name)
def test_signature_says_it_all(
    word: Word,
    function: Callable[..., Any],
    options: Options,
    kind: Kind,
    rule: Rule | None,
    permission: Permission,
    first: dict[str, Any],
) -> None:
    made = declare(word, function, "P", options)
    definition = made.definition
    assert (definition.kind, definition.rule, definition.permission) == (kind, rule, permission)
    assert list(made.first.items()) == list(first.items())
    assert definition.names == tuple(first)


def arguments(made: Declaration, **values: Any) -> tuple[Any, ...]:
    return made.shape.arguments({**made.first, **values})


def test_what_the_function_gets() -> None:
    assert arguments(declare("switch", one_of)) == ("UNPARK",)
    assert arguments(declare("switch", one_of_enum), OPEN=False, CLOSED=True) == (Way.CLOSED,)
    assert arguments(declare("switch", at_most)) == (None,)
    assert arguments(declare("switch", some_of), A=True, B=True) == ({"A", "B"},)
    assert arguments(declare("number", numbers), y=7.0) == (0, 7)
    assert isinstance(arguments(declare("number", numbers), y=7.0)[1], int)
    assert arguments(declare("number", record)) == (Sky(0, 90),)
    assert arguments(declare("number", data_record)) == (Limits(0, 5),)
    assert arguments(declare("number", by_name, "", {"members": ["A"]})) == ({"A": 0},)
    assert arguments(declare("button", press)) == ()
    assert arguments(declare("button", press_one), B=True) == ("B",)


def test_name_and_label_come_from_the_function() -> None:
    def gate_lamp(on: bool) -> None:
        """Lamp at the gate

        More that clients do not see.
        """

    definition = declare("switch", gate_lamp).definition
    assert (definition.name, definition.label) == ("gate_lamp", "Lamp at the gate")


def test_keyword_only_parameters_are_the_functions_own() -> None:
    def volts(value: float = 1, *, channel: int = 3) -> None: ...

    assert declare("number", volts).definition.names == ("value",)


def test_annotations_are_strings_of_the_callers_names() -> None:
    Local = Literal["X", "Y"]

    def choose(which: "Local") -> None: ...

    assert declare("switch", choose).definition.names == ("X", "Y")


def test_options_by_hand() -> None:
    made = declare("number", measured, "T", {"label": "L", "group": "G", "format": "%.1f", "every": 5})
    assert (made.definition.label, made.definition.group, made.conduct.every) == ("L", "G", 5)
    assert made.definition.members[0] == Number("T", format="%.1f")
    assert declare("switch", two_switches, "", {"rule": "OneOfMany"}).first == {"a": False, "b": True}
    assert declare("text", text, "", {"permission": "wo"}).definition.permission is Permission.WO


@pytest.mark.parametrize("function, overlap", [(press, "queue"), (lamp, "replace")])
def test_overlap_by_default(function: Callable[..., Any], overlap: str) -> None:
    word: Word = "button" if function is press else "light"
    assert declare(word, function).conduct.overlap == overlap


def no_annotation(x) -> None: ...  # type: ignore[no-untyped-def]
def star(*x: float) -> None: ...
def stars(**x: float) -> None: ...
def maybe_bool(x: bool | None) -> None: ...
def two_choices(x: Literal["A"], y: Literal["B"]) -> None: ...
def unknown_name(x: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821
def wrong_type(x: str) -> None: ...
def upside_down(x: Annotated[float, Number(min=5, max=3)]) -> None: ...
def outside(x: Annotated[float, Number(min=5, max=9)] = 1) -> None: ...
def bad_format(x: Annotated[float, Number(format="%s")]) -> None: ...
def bare_keyword(x: float, *, y: int) -> None: ...
def number_literal(x: Literal[1, 2]) -> None: ...
def described_wrongly(x: Annotated[bool, Number(max=3)]) -> None: ...
def says_nothing() -> None: ...
def no_return():  # type: ignore[no-untyped-def]
    ...


def light_with_parameter(x: State) -> State:
    return x


def same_member(a: Annotated[float, Number("X")], b: Annotated[float, Number("X")]) -> None: ...


REFUSALS: list[tuple[Word, Callable[..., Any], Options, str]] = [
    ("number", no_annotation, {}, "'x' has no annotation"),
    ("number", star, {}, "cannot be members"),
    ("number", stars, {}, "cannot be members"),
    ("switch", maybe_bool, {}, "only a Literal or an Enum may be None"),
    ("switch", two_choices, {}, "with several parameters each is one of bool"),
    ("number", unknown_name, {}, "'Nowhere' is not defined"),
    ("number", wrong_type, {}, "'x' is str"),
    ("number", upside_down, {}, "above its max"),
    ("number", outside, {}, "outside 5 to 9"),
    ("number", bad_format, {}, "'%s' is no format|format of 'x'"),
    ("number", bare_keyword, {}, "'y' is no member and needs a default"),
    ("switch", number_literal, {}, "1 is not"),
    ("switch", described_wrongly, {}, "described by Number"),
    ("number", says_nothing, {}, "returns nothing"),
    ("number", no_return, {}, "neither parameters nor a return type"),
    ("light", light_with_parameter, {}, "read-only"),
    ("number", same_member, {}, "two members are called 'X'"),
    ("number", measured, {"overlap": "queue"}, "for handlers"),
    ("number", measured, {"save": True}, "for handlers"),
    ("number", number, {"every": 5}, "without parameters"),
    ("number", number, {"deadline": -1}, "not negative"),
    ("number", number, {"permission": "ro"}, "a handler is rw or wo"),
    ("number", number, {"permission": "x"}, "none of 'ro'"),
    ("number", number, {"rule": "OneOfMany"}, "for switches only"),
    ("switch", switch, {"format": "%d"}, "for numbers only"),
    ("switch", one_of, {"rule": "AnyOfMany"}, "does not go with this signature"),
    ("number", number, {"members": ["A"]}, "one dict"),
    ("number", number, {"overlap": "maybe"}, "'maybe' is none of"),  # type: ignore[typeddict-item]
    ("number", number, {"when": "never"}, "'never' is none of"),  # type: ignore[typeddict-item]
    ("blob", upload, {"save": True}, "switches, numbers and texts"),
]


@pytest.mark.parametrize("word, function, options, text", REFUSALS, ids=function_name)
def test_what_cannot_work_is_refused_where_it_stands(
    word: Word, function: Callable[..., Any], options: Options, text: str
) -> None:
    with pytest.raises(DeclarationError, match=text) as refusal:
        declare(word, function, "P", options)
    line = function.__code__.co_firstlineno
    assert str(refusal.value).startswith(f"{__file__}:{line}: @app.{word}('P'): ")
    assert "expected: " in str(refusal.value)


def test_a_taken_name_is_refused_with_its_place() -> None:
    app = App("A")
    app.switch("X")(switch)
    with pytest.raises(DeclarationError, match=r"has a property X already, from .*test_declare.py:\d+"):
        app.number("X")(number)
    with pytest.raises(DeclarationError, match="there by itself"):
        app.switch("CONNECTION")(switch)


def test_a_bare_decorator_works() -> None:
    app = App("A")

    @app.switch
    def led(on: bool) -> None: ...

    assert app.properties == {"led": led}


def test_a_misspelled_option_is_told() -> None:
    options: Any = {"deadlin": 1}
    with pytest.raises(DeclarationError, match="no option is called 'deadlin'; did you mean deadline"):
        declare("number", numbers, "L", options)


def test_a_connection_needs_no_parentheses() -> None:
    app = App("D")

    @app.connection
    def hardware() -> Iterator[int]:
        yield 1

    assert app.hardware is hardware


def test_every_needs_its_seconds() -> None:
    with pytest.raises(ValueError, match=r"@app.every\(5\) takes the seconds between two calls"):
        App("D").every(lambda: None)  # type: ignore[arg-type]

"""The table that reader, writer and documentation share."""

from __future__ import annotations

import dataclasses

import pytest

from indiflask.protocol import Kind
from indiflask.protocol.schema import ELEMENTS, MEMBERS, ElementShape, MemberShape, Sender

SHAPES: list[ElementShape | MemberShape] = [*ELEMENTS.values(), *MEMBERS.values()]


def test_all_of_indi_is_there() -> None:
    vectors = {f"{word}{kind.value}Vector" for word in ("def", "set", "new") for kind in Kind} - {"newLightVector"}
    others = {"getProperties", "enableBLOB", "message", "delProperty", "pingRequest", "pingReply"}
    assert set(ELEMENTS) == vectors | others


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.tag)
def test_each_attribute_is_a_field_of_its_record(shape: ElementShape | MemberShape) -> None:
    record = shape.make
    assert isinstance(record, type)
    assert {attribute.field for attribute in shape.attributes} <= {field.name for field in dataclasses.fields(record)}


def test_only_clients_ask_for_new_values() -> None:
    senders = {tag: shape.sender for tag, shape in ELEMENTS.items()}
    assert all((senders[tag] is Sender.CLIENT) == tag.startswith("new") for tag in senders if tag.endswith("Vector"))

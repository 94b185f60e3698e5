"""Owners whose process ends and begins again: what clients see of it."""

from indiflask.hub import Hub
from indiflask.protocol.messages import (
    DefVector,
    DelProperty,
    Kind,
    Message,
    NewVector,
    OneMember,
    SetVector,
    State,
)
from indiflask.protocol.writer import pack
from tests.hub.kit import ASK, BLOB, End, client, number

REQUEST = NewVector(Kind.NUMBER, "D", "N", members=(OneMember("X", "1"),))
ALERT = SetVector(Kind.NUMBER, "D", "N", State.ALERT)


def knowing(hub: Hub, driver: End, *more: DefVector) -> End:
    """A client that knows all that the driver has."""
    someone = client(hub, ASK)
    driver.say(number(), BLOB, *more)
    someone.take()
    driver.take()
    return someone


def reload(hub: Hub, driver: End) -> None:
    hub.suspend(driver.peer, "", alert=False)
    hub.resume(driver.peer)


def messages(end: End) -> list[str]:
    return [said.message for said in end.take() if isinstance(said, Message)]


def test_a_reload_tells_only_what_differs(hub: Hub, driver: End) -> None:
    someone = knowing(hub, driver, number("LIMIT"), number("GONE"))
    reload(hub, driver)
    assert someone.take() == []
    driver.say(number(value="2"), BLOB, number("LIMIT", max=5), number("NEW"))
    news, blob, *rest = someone.take()
    assert isinstance(news, SetVector)
    assert news.members == (OneMember("X", "2"),)
    assert blob == SetVector(Kind.BLOB, "D", "B", BLOB.state)
    assert rest == [DelProperty("D", "LIMIT"), number("LIMIT", max=5), number("NEW"), DelProperty("D", "GONE")]


def test_a_device_that_a_reload_leaves_out_is_deleted(hub: Hub, driver: End) -> None:
    someone = knowing(hub, driver, number(device="E"))
    reload(hub, driver)
    driver.say(number(), BLOB)
    assert DelProperty("E") in someone.take()
    someone.say(NewVector(Kind.NUMBER, "E", "N", members=(OneMember("X", "1"),)))
    assert "no device is called 'E'" in messages(someone)[0]


def test_while_an_owner_is_away_its_properties_are_there_in_alert(hub: Hub, driver: End) -> None:
    someone = knowing(hub, driver)
    hub.suspend(driver.peer, "it was killed", alert=True)
    assert ALERT in someone.take()
    someone.say(REQUEST)
    assert someone.take() == [ALERT, Message("it was killed", "D")]
    assert driver.take() == []


def test_who_asks_while_an_owner_is_away_gets_what_it_had(hub: Hub, driver: End) -> None:
    hub.suspend(driver.peer, "it was killed", alert=True)
    defined, _, why = client(hub, ASK).take()
    assert isinstance(defined, DefVector)
    assert (defined.name, defined.state) == ("N", State.ALERT)
    assert why == Message("it was killed")


def test_an_owner_that_comes_back_heals_its_properties(hub: Hub, driver: End) -> None:
    someone = knowing(hub, driver)
    hub.suspend(driver.peer, "it was killed", alert=True)
    someone.take()
    hub.resume(driver.peer)
    driver.say(number(), BLOB)
    assert {said.state for said in someone.take() if isinstance(said, SetVector)} == {State.OK, BLOB.state}


def test_a_request_that_comes_before_its_owner_has_started_waits_for_it(hub: Hub) -> None:
    someone, owner = End(hub), End(hub, "D's", owner=True)
    owner.take()
    someone.say(REQUEST)
    assert someone.take() == owner.take() == []
    owner.say(number())
    assert owner.take() == [REQUEST]


def test_who_asks_early_need_not_stay(hub: Hub) -> None:
    someone, owner = End(hub), End(hub, "D's", owner=True)
    owner.take()
    someone.say(REQUEST)
    hub.leave(someone.peer)
    owner.say(number())
    assert owner.take() == [REQUEST]


def test_a_request_for_nobody_is_answered_once_all_owners_have_started(hub: Hub) -> None:
    someone, driver, other = End(hub), End(hub, "E's", owner=True), End(hub, "F's", owner=True)
    someone.say(REQUEST)
    driver.say(number(device="E"))
    assert someone.take() == []
    hub.leave(other.peer)
    assert "no device is called 'D'" in messages(someone)[0]


def test_early_requests_keep_their_order(hub: Hub) -> None:
    someone, owner = End(hub), End(hub, "D's", owner=True)
    owner.take()
    first, second = (NewVector(Kind.NUMBER, "D", "N", members=(OneMember("X", value),)) for value in "12")
    someone.say(first)
    hub.receive(owner.peer, [pack(number())])  # it has defined something, and not yet all
    someone.say(second)
    hub.settle(owner.peer)
    assert owner.take() == [first, second]


def test_a_reload_while_an_owner_starts_loses_no_early_request(hub: Hub) -> None:
    someone, owner = End(hub), End(hub, "D's", owner=True)
    owner.take()
    someone.say(REQUEST)
    reload(hub, owner)
    assert someone.take() == []
    owner.say(number())
    assert owner.take() == [REQUEST]

"""Who gets which frame: INDI's rules for a server, and ours for definitions."""

import pytest

from indiflask.hub import Hub
from indiflask.protocol.frames import Frame
from indiflask.protocol.messages import (
    BlobMode,
    DelProperty,
    Element,
    EnableBlob,
    GetProperties,
    Kind,
    Message,
    NewVector,
    OneMember,
    PingReply,
    PingRequest,
)
from tests.hub.kit import ASK, BLOB, EMPTY, IMAGE, End, client, news, number

# --- interest ---


def test_an_owner_is_asked_for_its_devices_at_once(hub: Hub) -> None:
    assert End(hub, owner=True).take() == [GetProperties()]
    assert End(hub).take() == []


@pytest.mark.parametrize(
    "said, hears_n, hears_other",
    [
        ([], False, False),
        ([ASK], True, True),
        ([GetProperties("D")], True, False),
        ([GetProperties("D", "N")], True, False),
        ([GetProperties("D", "B")], False, False),
        ([NewVector(Kind.NUMBER, "D", "N", members=(OneMember("X", "1"),))], True, False),
        ([EnableBlob("D", None, BlobMode.ALSO)], True, False),
    ],
    ids=str,
)
def test_a_client_hears_what_it_named(
    hub: Hub, driver: End, said: list[Element], hears_n: bool, hears_other: bool
) -> None:
    other = End(hub, "other", owner=True)
    other.say(number(device="E"))
    someone = client(hub, *said)
    someone.take()
    driver.say(news())
    other.say(news(device="E"))
    assert someone.take() == [news()] * hears_n + [news(device="E")] * hears_other


def test_getproperties_goes_to_those_it_concerns(hub: Hub, driver: End) -> None:
    other = End(hub, "other", owner=True)
    other.take()
    client(hub, GetProperties("D", "N"))
    assert driver.take() == [GetProperties("D", "N")]
    assert other.take() == []
    client(hub, ASK)
    assert other.take() == [ASK]


# --- requests ---


def test_a_request_goes_to_the_owner_and_as_courtesy_to_interested_clients(hub: Hub, driver: End) -> None:
    asker, watcher, stranger = client(hub), client(hub, ASK), client(hub)
    driver.take()
    request = NewVector(Kind.NUMBER, "D", "N", members=(OneMember("X", "5"),))
    asker.say(request)
    assert driver.take() == [request]
    assert watcher.take() == [request]
    assert (asker.take(), stranger.take()) == ([], [])


def test_an_unknown_device_is_answered_with_the_near_name(hub: Hub) -> None:
    End(hub, owner=True).say(number(device="Telescope"))
    someone = client(hub, NewVector(Kind.NUMBER, "Telescop", "N"))
    [said] = someone.take()
    assert isinstance(said, Message)
    assert said.message == "no device is called 'Telescop'; did you mean 'Telescope'?"


@pytest.mark.parametrize("spoof", [number(), news(), DelProperty("D"), Message("hello", "D")], ids=str)
def test_what_only_owners_say_is_not_passed_on_from_a_client(hub: Hub, driver: End, spoof: Element) -> None:
    watcher = client(hub, ASK)
    watcher.take()
    spoofer = client(hub, spoof, spoof)
    assert watcher.take() == []
    assert len(spoofer.take()) == 1  # told once


# --- BLOBs ---


@pytest.mark.parametrize(
    "said, gets_blob, gets_rest",
    [
        ([ASK], False, True),
        ([ASK, EnableBlob("D", None, BlobMode.ALSO)], True, True),
        ([ASK, EnableBlob("D", "B", BlobMode.ALSO)], True, True),
        ([ASK, EnableBlob("D", "OTHER", BlobMode.ALSO)], False, True),
        ([ASK, EnableBlob("D", None, BlobMode.ONLY)], True, False),
        ([GetProperties("D"), EnableBlob("D", "B", BlobMode.ONLY)], True, True),
        ([ASK, EnableBlob("D", "B", BlobMode.ALSO), EnableBlob("D", "B", BlobMode.NEVER)], False, True),
        ([ASK, EnableBlob("D", "B", BlobMode.ALSO), EnableBlob("D", None, BlobMode.NEVER)], False, True),
        ([ASK, EnableBlob("D", None, BlobMode.ALSO), EnableBlob("D", "B", BlobMode.NEVER)], False, True),
    ],
    ids=str,
)
def test_blobs_per_connection_and_property(
    hub: Hub, driver: End, said: list[Element], gets_blob: bool, gets_rest: bool
) -> None:
    someone = client(hub, *said)
    someone.take()
    driver.say(IMAGE, news())
    assert someone.take() == [IMAGE] * gets_blob + [news()] * gets_rest


def test_a_blob_vector_without_a_blob_is_news_like_any_other(hub: Hub, driver: End) -> None:
    someone = client(hub, ASK)
    someone.take()
    driver.say(EMPTY)
    assert someone.take() == [EMPTY]


def test_kstars_connections(hub: Hub, driver: End) -> None:
    """One for all but BLOBs, and one more for each BLOB property."""
    main = client(hub, ASK, EnableBlob("D", "B", BlobMode.NEVER))
    extra = client(hub, GetProperties("D"), EnableBlob("D", "B", BlobMode.ONLY))
    main.take(), extra.take()
    driver.say(IMAGE, news())
    assert main.take() == [news()]
    assert IMAGE in extra.take()


# --- who hears a definition ---


def test_whoever_asks_gets_definitions_again_if_it_asks_again(hub: Hub, driver: End) -> None:
    someone = client(hub, ASK)
    for _ in range(2):
        driver.say(number())
        assert someone.take() == [number()]
        someone.say(ASK)


def test_nobody_gets_duplicates_because_another_one_connected(hub: Hub, driver: End) -> None:
    first = client(hub, ASK)
    driver.say(number(), BLOB)
    first.take()
    second = client(hub, ASK)
    driver.say(number(), BLOB)
    assert second.take() == [number(), BLOB]
    assert first.take() == []


def test_an_unasked_definition_that_is_known_is_news_of_its_values(hub: Hub, driver: End) -> None:
    someone = client(hub, ASK)
    driver.say(number())
    someone.take()
    driver.say(number(value="7"))
    assert someone.take() == [news(value="7")]
    driver.say(news(value="8"))
    someone.take()
    driver.say(number(value="7"))  # the same as the last one, but not what is known
    assert someone.take() == [news(value="7")]


def test_a_definition_that_differs_comes_after_a_deletion(hub: Hub, driver: End) -> None:
    someone = client(hub, ASK)
    driver.say(number())
    someone.take()
    driver.say(number(max=99))
    assert someone.take() == [DelProperty("D", "N"), number(max=99)]


def test_a_deleted_property_is_defined_anew(hub: Hub, driver: End) -> None:
    someone = client(hub, ASK)
    driver.say(number())
    someone.take()
    driver.say(DelProperty("D", "N"), number())
    assert someone.take() == [DelProperty("D", "N"), number()]


# --- owners ---


def test_the_end_of_an_owner_deletes_its_devices(hub: Hub, driver: End) -> None:
    someone, stranger = client(hub, GetProperties("D", "N")), client(hub)
    someone.take()
    hub.leave(driver.peer)
    assert someone.take() == [DelProperty("D")]
    assert stranger.take() == []
    someone.say(NewVector(Kind.NUMBER, "D", "N"))
    assert isinstance(someone.take()[0], Message)


def test_a_device_has_one_owner(hub: Hub, driver: End) -> None:
    someone = client(hub, ASK)
    someone.take()
    thief = End(hub, "thief", owner=True)
    thief.take()
    thief.say(number(value="66"), news(value="66"))
    assert someone.take() == []
    [said] = thief.take()
    assert isinstance(said, Message)
    assert "it is driver's" in said.message


def test_snooping_is_a_drivers_subscription(hub: Hub) -> None:
    snooper = End(hub, "snooper", owner=True)
    snooper.say(GetProperties("D", "N"))  # before the device is there
    driver = End(hub, "driver", owner=True)
    snooper.take()
    driver.say(number(), number("OTHER"), news(), news("OTHER"))
    assert snooper.take() == [number(), news()]
    hub.leave(driver.peer)
    assert snooper.take() == [DelProperty("D")]


def test_messages_go_to_those_who_hear_the_device(hub: Hub, driver: End) -> None:
    someone, stranger = client(hub, GetProperties("D", "N")), client(hub)
    someone.take()
    driver.say(Message("closing", "D"), Message("to all"))
    assert someone.take() == [Message("closing", "D"), Message("to all")]
    assert stranger.take() == [Message("to all")]


def test_a_ping_is_answered_after_what_is_queued(hub: Hub, driver: End) -> None:
    someone = client(hub, ASK)
    driver.say(number())
    someone.say(PingRequest("7"))
    assert someone.take() == [number(), PingReply("7")]
    driver.take()
    driver.say(PingRequest("SetBLOB/1"))
    assert driver.take() == [PingReply("SetBLOB/1")]


def test_what_is_no_indi_is_answered_and_goes_nowhere(hub: Hub, driver: End) -> None:
    someone = client(hub)
    frame = Frame(b'<enableBLOB device="D">Sometimes</enableBLOB>', b"enableBLOB", b"D")
    hub.receive(someone.peer, [frame])
    [said] = someone.take()
    assert isinstance(said, Message)

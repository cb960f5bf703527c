"""The size check finds what it is there for."""

from pathlib import Path

import pytest

from tests.kit.sizes import LONGEST_FILE, LONGEST_FUNCTION, breaches

ROOM = Path("xmppd/muc/room.py")


def reasons(source: str, path: Path = ROOM) -> list[str]:
    return [f"{line}: {reason}" for line, reason in breaches(path, source)]


def test_a_small_file_passes() -> None:
    assert not reasons("class Room:\n    def join(self):\n        return 1\n")


def test_a_file_may_be_as_long_as_the_limit_and_no_longer() -> None:
    assert not reasons("x = 1\n" * LONGEST_FILE)
    assert reasons("x = 1\n" * (LONGEST_FILE + 1)) == [
        f"{LONGEST_FILE + 1}: the file has {LONGEST_FILE + 1} lines, over {LONGEST_FILE}; split it by aspect"
    ]


@pytest.mark.parametrize("start", ["def join():\n", "async def join():\n"])
def test_a_function_may_be_as_long_as_the_limit_and_no_longer(start: str) -> None:
    assert not reasons(start + "    x = 1\n" * (LONGEST_FUNCTION - 1))
    assert "join has 51 lines" in reasons(start + "    x = 1\n" * LONGEST_FUNCTION)[0]


def test_a_story_may_be_longer() -> None:
    assert not reasons("def test_story():\n" + "    x = 1\n" * 80, Path("tests/stories/test_muc.py"))


@pytest.mark.parametrize("name", ["RoomManager", "FormData", "DiscoInfo", "XMLUtils", "Common", "HelperOfRooms"])
def test_a_class_that_is_named_after_nothing_is_refused(name: str) -> None:
    assert f"class {name} has" in reasons(f"\nclass {name}:\n    pass\n")[0]


@pytest.mark.parametrize("name", ["Database", "Utility", "Informed", "Commonwealth", "Update"])
def test_a_name_that_only_contains_the_letters_passes(name: str) -> None:
    assert not reasons(f"class {name}:\n    pass\n")


@pytest.mark.parametrize("name", ["utils.py", "muc_helpers.py", "data.py"])
def test_a_file_that_is_named_after_nothing_is_refused(name: str) -> None:
    assert "find the noun" in reasons("", Path("xmppd/muc", name))[0]


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME"])
def test_a_promise_is_refused(word: str) -> None:
    assert reasons(f"x = 1\ny = 2  # {word}: later\n") == [f"2: {word} in the code; do it or leave it"]


def test_a_file_that_is_not_python_is_said_so() -> None:
    assert reasons("x = 1\ny = = 2\n") == ["2: not Python: invalid syntax"]

"""Who moves in knows ten others, each of whom knows them."""

from tests.bench.accounts import union
from tests.bench.rows.moving import circle


def test_everybody_has_ten_contacts_who_have_them_too() -> None:
    users = {user.name: set(user.contacts) for user in circle(100)}
    assert len(users) == 100
    for name, contacts in users.items():
        assert len(contacts) == 10
        assert name not in contacts
        assert all(name in users[contact] for contact in contacts)
    assert len(union(circle(100))) == 100

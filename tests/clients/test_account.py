"""What one person does with one client: log in, arrange the roster, change the password."""

import pytest

from .conftest import CLIENTS, Stage

pytestmark = [pytest.mark.client, pytest.mark.parametrize("kind", CLIENTS)]


async def test_log_in_with_starttls(stage: Stage, kind: str) -> None:
    alice = await stage.enter(kind, "alice")
    await alice.logs_in()
    await alice.logs_out()


async def test_log_in_with_direct_tls(stage: Stage, kind: str) -> None:
    alice = await stage.enter(kind, "alice")
    await alice.logs_in(direct_tls=True)
    await alice.logs_out()


async def test_a_certificate_of_an_unknown_authority_is_not_trusted(stage: Stage, kind: str) -> None:
    alice = await stage.enter(kind, "alice", trusts=stage.stranger())
    await alice.tries_to_log_in(alice.access.password)
    await alice.distrusts_the_certificate()


async def test_a_wrong_password_is_refused_and_the_right_one_still_works(stage: Stage, kind: str) -> None:
    alice = await stage.enter(kind, "alice")
    await alice.tries_to_log_in("wrong")
    await alice.is_refused()
    await alice.logs_in()


async def test_a_renamed_and_regrouped_contact_is_found_so_on_a_new_computer(stage: Stage, kind: str) -> None:
    alice, bob = await stage.friends(kind, kind)
    await alice.renames(bob.jid, "Robert")
    await alice.regroups(bob.jid, "Climbers")
    await alice.lists(bob.jid, "Robert", "Climbers")
    elsewhere = await stage.again(alice)
    await elsewhere.logs_in()
    await elsewhere.lists(bob.jid, "Robert", "Climbers")


async def test_two_computers_of_one_account_show_the_same_roster(stage: Stage, kind: str) -> None:
    alice, bob = await stage.friends(kind, kind)
    elsewhere = await stage.again(alice)
    await elsewhere.logs_in()
    await alice.renames(bob.jid, "Bobby")
    await alice.regroups(bob.jid, "Divers")
    await elsewhere.lists(bob.jid, "Bobby", "Divers")


async def test_a_removed_contact_is_gone_and_neither_sees_the_other(stage: Stage, kind: str) -> None:
    alice, bob = await stage.friends(kind, "slixmpp")
    await alice.removes(bob.jid)
    await alice.lacks(bob.jid)
    await bob.sees(alice.jid, "offline")


async def test_a_changed_password_counts_from_the_next_login(stage: Stage, kind: str) -> None:
    alice = await stage.enter(kind, "alice")
    await alice.logs_in()
    await alice.changes_password("battery staple")
    await alice.logs_out()
    await alice.tries_to_log_in(alice.access.password)
    await alice.is_refused()
    await alice.tries_to_log_in("battery staple")
    await alice.is_logged_in()

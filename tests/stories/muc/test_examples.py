"""Which story shows an example of XEP-0045, sections 6 to 10, that no story is named after.

Requests have the name of their answer; where a step comes back in several sections ("Service Informs Admin of Success")
it is shown with what is done there. Three cannot occur here:

- 51, nick modified by the service: a nick is taken as it is written, or refused. All addresses are prepared (RFC 7622)
  before a room sees them, so there is none for status 210 to tell of.
- 73, no support for registration: every room has it; one whose owner closed it answers not-allowed (68).
- 158, no configuration possible: every room has options.

14, 16 and 17, where somebody is asked what their client can do and which rooms they are in, are between clients.
"""

from __future__ import annotations

from importlib import import_module

import pytest

EXAMPLES = {
    "1": "discovery.server_returns_disco_items_result",
    "3": "discovery.service_returns_disco_info_result",
    "5": "discovery.service_returns_disco_items_result_with_public_rooms",
    "8": "discovery.room_returns_disco_info_result",
    "11": "discovery.room_returns_disco_items_result_items_are_public",
    "18, 153": "enter.service_sends_presence_from_existing_occupants_to_new_occupant",
    "34": "history.delivery_of_discussion_history",
    "42": "enter.service_response_to_groupchat_1_0_join_and_non_occupant_presence_update",
    "45": "speak.occupant_sends_a_message_to_all_occupants",
    "47": "speak.occupant_sends_private_message",
    "50": "change.occupant_changes_nickname",
    "55": "change.occupant_changes_availability_status",
    "57": "invite.occupant_sends_a_mediated_invitation",
    "59": "invite.invitee_declines_invitation",
    "60-62, 65": "invite.owner_sends_history_to_room_and_invitee_receives_it",
    "63, 64": "invite.a_conversation_goes_on_in_the_room",
    "66": "register.service_returns_registration_form",
    "75, 76": "register.an_admin_approves",
    "78": "discovery.user_requests_reserved_nickname",
    "81, 82": "change.occupant_exits_a_room",
    "85, 86": "speak.moderator_changes_subject",
    "91, 92": "moderator.service_informs_moderator_of_success_before_the_remaining_occupants",
    "96, 97": "moderator.moderator_grants_voice_to_a_visitor",
    "99-101": "moderator.moderator_revokes_voice_from_a_participant",
    "106": "moderator.moderator_sends_modified_voice_list_to_service",
    "112-114": "admin.admin_bans_user",
    "119": "admin.admin_sends_modified_ban_list_to_service",
    "122, 123": "admin.admin_grants_membership",
    "126, 127": "admin.admin_revokes_membership",
    "132, 133, 136": "admin.admin_sends_modified_member_list_to_service",
    "139, 140": "moderator.admin_grants_moderator_status",
    "143, 144": "moderator.admin_revokes_moderator_status",
    "149": "moderator.admin_sends_modified_moderator_list_to_service",
    "160": "owner.owner_submits_configuration_form",
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_of_them_is_there(example: str) -> None:
    module, _, story = EXAMPLES[example].partition(".")
    assert callable(getattr(import_module(f"tests.stories.muc.test_{module}"), f"test_{story}"))

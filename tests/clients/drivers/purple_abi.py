"""The part of libpurple 2's C interface that the worker calls: signatures, and the tables a user interface fills."""

import ctypes
from ctypes import CFUNCTYPE, Structure, c_char_p, c_int, c_size_t, c_uint, c_void_p
from typing import Any

LIBRARY = "libpurple.so.0"

_KINDS = {"p": c_void_p, "s": c_char_p, "i": c_int, "u": c_uint, "z": c_size_t, "v": None}

GLIB_FUNCTIONS = {
    "g_hash_table_replace": "i:ppp",
    "g_main_loop_new": "p:pi",
    "g_main_loop_run": "v:p",
    "g_list_length": "u:p",
    "g_list_nth_data": "p:pu",
    "g_slist_length": "u:p",
    "g_slist_nth_data": "p:pu",
    "g_source_remove": "i:u",
    "g_strdup": "p:s",
    "g_unix_fd_add_full": "u:iiuppp",
}

PURPLE_FUNCTIONS = {
    "purple_account_add_buddy": "v:pp",
    "purple_account_get_connection": "p:p",
    "purple_account_is_connected": "i:p",
    "purple_account_new": "p:ss",
    "purple_account_remove_buddy": "v:ppp",
    "purple_account_set_enabled": "v:psi",
    "purple_account_set_int": "v:psi",
    "purple_account_set_password": "v:ps",
    "purple_account_set_remember_password": "v:pi",
    "purple_account_set_string": "v:pss",
    "purple_accounts_add": "v:p",
    "purple_accounts_get_handle": "p:",
    "purple_accounts_set_ui_ops": "v:p",
    "purple_blist_add_buddy": "v:pppp",
    "purple_blist_add_group": "v:pp",
    "purple_blist_alias_buddy": "v:ps",
    "purple_blist_load": "v:",
    "purple_blist_new": "p:",
    "purple_blist_remove_buddy": "v:p",
    "purple_buddy_get_alias_only": "s:p",
    "purple_buddy_get_group": "p:p",
    "purple_buddy_get_name": "s:p",
    "purple_buddy_get_presence": "p:p",
    "purple_buddy_new": "p:pss",
    "purple_certificate_add_ca_search_path": "v:s",
    "purple_cmd_do_command": "i:pssp",
    "purple_connection_get_prpl": "p:p",
    "purple_connections_get_handle": "p:",
    "purple_conv_chat_cb_get_name": "s:p",
    "purple_conv_chat_get_users": "p:p",
    "purple_conv_chat_has_left": "i:p",
    "purple_conv_chat_send": "v:ps",
    "purple_conv_im_send": "v:ps",
    "purple_conversation_get_chat_data": "p:p",
    "purple_conversation_get_im_data": "p:p",
    "purple_conversation_get_name": "s:p",
    "purple_conversation_new": "p:ips",
    "purple_conversations_get_handle": "p:",
    "purple_core_init": "i:s",
    "purple_debug_set_enabled": "v:i",
    "purple_eventloop_set_ui_ops": "v:p",
    "purple_find_buddies": "p:ps",
    "purple_find_buddy": "p:ps",
    "purple_find_conversation_with_account": "p:isp",
    "purple_find_group": "p:s",
    "purple_group_get_name": "s:p",
    "purple_group_new": "p:s",
    "purple_markup_escape_text": "s:si",
    "purple_markup_strip_html": "s:s",
    "purple_notify_set_ui_ops": "v:p",
    "purple_plugins_add_search_path": "v:s",
    "purple_presence_get_active_status": "p:p",
    "purple_request_field_bool_set_value": "v:pi",
    "purple_request_field_get_type": "i:p",
    "purple_request_field_string_set_value": "v:ps",
    "purple_request_fields_exists": "i:ps",
    "purple_request_fields_get_field": "p:ps",
    "purple_request_set_ui_ops": "v:p",
    "purple_savedstatus_activate": "v:p",
    "purple_savedstatus_new": "p:si",
    "purple_savedstatus_set_message": "v:ps",
    "purple_set_blist": "v:p",
    "purple_signal_connect": "u:pspppp",
    "purple_status_get_id": "s:p",
    "purple_util_set_user_dir": "v:s",
    "serv_alias_buddy": "v:p",
    "serv_join_chat": "v:pp",
}

JABBER_FUNCTIONS = {
    "jabber_actions": "p:pp",
    "jabber_chat_create_instant_room": "v:p",
    "jabber_chat_info_defaults": "p:ps",
}

InputFunction = CFUNCTYPE(None, c_void_p, c_int, c_uint)
DescriptorFunction = CFUNCTYPE(c_int, c_int, c_uint, c_void_p)
Answer = CFUNCTYPE(None, c_void_p)
FieldsAnswer = CFUNCTYPE(None, c_void_p, c_void_p)

AddInput = CFUNCTYPE(c_uint, c_int, c_uint, c_void_p, c_void_p)
RequestAuthorize = CFUNCTYPE(
    c_void_p, c_void_p, c_char_p, c_char_p, c_char_p, c_char_p, c_int, c_void_p, c_void_p, c_void_p
)
RequestAction = CFUNCTYPE(c_void_p, c_char_p, c_char_p, c_char_p, c_int, *[c_void_p] * 4, c_size_t, c_void_p)
RequestFields = CFUNCTYPE(c_void_p, c_char_p, c_char_p, c_char_p, *[c_void_p] * 9)
NotifyMessage = CFUNCTYPE(c_void_p, c_int, c_char_p, c_char_p, c_char_p)
ConnectionError = CFUNCTYPE(None, c_void_p, c_int, c_char_p)
ReceivedMessage = CFUNCTYPE(None, c_void_p, c_char_p, c_char_p, c_void_p, c_int)


def _empty(*names: str) -> list[tuple[str, type[c_void_p]]]:
    return [(name, c_void_p) for name in names]


class EventLoopUiOps(Structure):
    """How libpurple gets its clock and its sockets watched."""

    _fields_ = [
        *_empty("timeout_add", "timeout_remove"),
        ("input_add", AddInput),
        *_empty("input_remove", "input_get_error", "timeout_add_seconds", "r2", "r3", "r4"),
    ]


class AccountUiOps(Structure):
    """How libpurple asks whether a stranger may see our presence."""

    _fields_ = [
        *_empty("notify_added", "status_changed", "request_add"),
        ("request_authorize", RequestAuthorize),
        *_empty("close_account_request", "r1", "r2", "r3", "r4"),
    ]


class RequestUiOps(Structure):
    """How libpurple opens dialogues."""

    _fields_ = [
        *_empty("request_input", "request_choice"),
        ("request_action", RequestAction),
        ("request_fields", RequestFields),
        *_empty("request_file", "close_request", "request_folder", "request_action_with_icon"),
        *_empty("request_screenshare_media", "r1", "r2"),
    ]


class NotifyUiOps(Structure):
    """How libpurple shows a box with a text and a button."""

    _fields_ = [
        ("notify_message", NotifyMessage),
        *_empty("notify_email", "notify_emails", "notify_formatted", "notify_searchresults"),
        *_empty("notify_searchresults_new_rows", "notify_userinfo", "notify_uri", "close_notify"),
        *_empty("r1", "r2", "r3", "r4"),
    ]


class PluginAction(Structure):
    """An entry of an account's menu."""

    _fields_ = [("label", c_char_p), *_empty("callback", "plugin", "context", "user_data")]


def load() -> tuple[Any, Any]:
    """GLib and libpurple, with the functions above typed. Raises OSError where they are not installed."""
    glib, purple = ctypes.CDLL("libglib-2.0.so.0"), ctypes.CDLL(LIBRARY, mode=ctypes.RTLD_GLOBAL)
    _type(glib, GLIB_FUNCTIONS)
    _type(purple, PURPLE_FUNCTIONS)
    return glib, purple


def protocol() -> Any:
    """The plugin for XMPP. Only after libpurple has loaded it, whose globals it then shares."""
    with open("/proc/self/maps") as maps:
        path = next(line.split()[-1] for line in maps if "/libjabber.so" in line)
    library = ctypes.CDLL(path)
    _type(library, JABBER_FUNCTIONS)
    return library


def _type(library: Any, functions: dict[str, str]) -> None:
    for name, signature in functions.items():
        result, arguments = signature.split(":")
        function = getattr(library, name)
        function.restype = _KINDS[result]
        function.argtypes = [_KINDS[kind] for kind in arguments]


def address(library: Any, name: str) -> int:
    """Where a C function lies, to hand it to C as it is."""
    place = ctypes.cast(getattr(library, name), c_void_p).value
    assert place is not None
    return place

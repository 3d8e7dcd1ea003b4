"""pywa accepts the webhooks that the sandbox sends: signature, then every shape."""

import pytest
from conftest import NUMBER, USER
from pywa import types
from pywa.errors import MessageUndeliverable, ReEngagementMessage


class Bot:
    """Feeds webhooks to pywa and keeps what its handlers get."""

    def __init__(self, wa, receiver):
        self.wa, self.receiver, self.seen = wa, receiver, []
        keep = lambda _, update: self.seen.append(update)  # noqa: E731
        wa.on_message()(keep)
        wa.on_callback_button()(keep)
        wa.on_callback_selection()(keep)
        wa.on_message_status()(keep)

    def next(self):
        raw, signature = self.receiver.take()
        assert self.wa.webhook_update_validator(raw, signature) is None
        assert self.wa.webhook_update_handler(raw) == ("ok", 200)
        return self.seen[-1]


@pytest.fixture
def bot(wa, receiver):
    return Bot(wa, receiver)


def test_a_wrong_signature_is_refused(wa, sandbox, receiver):
    sandbox.customer({"type": "text", "text": {"body": "hi"}})
    raw, signature = receiver.take()
    assert wa.webhook_update_validator(raw, signature) is None
    assert wa.webhook_update_validator(raw + b" ", signature) == ("Forbidden", 403)
    assert wa.webhook_update_validator(raw, None) == ("Unauthorized", 401)


def test_text(bot, sandbox):
    message_id = sandbox.customer({"type": "text", "text": {"body": "Grüße @ a/b 🙂"}})
    message = bot.next()
    assert (message.id, message.text) == (message_id, "Grüße @ a/b 🙂")
    assert (message.from_user.wa_id, message.from_user.name) == (USER, "Zoë")
    assert message.from_user.bsuid.startswith("US.")
    assert message.metadata.phone_number_id == NUMBER


def test_a_user_without_phone(bot, sandbox):
    sandbox.customer({"type": "text", "text": {"body": "hi"}}, user_id="US.42", name="Pablo", username="@pablo")
    user = bot.next().from_user
    assert (user.bsuid, user.wa_id, user.username) == ("US.42", None, "@pablo")


def test_image_can_be_downloaded(bot, sandbox, tmp_path):
    sandbox.customer({"type": "image", "image": {"caption": "Look"}})
    message = bot.next()
    assert (message.type, message.caption, message.image.mime_type) == ("image", "Look", "image/jpeg")
    assert message.image.get_bytes().startswith(b"\xff\xd8\xff")


def test_other_types(bot, sandbox):
    sandbox.customer({"type": "location", "location": {"latitude": 1.5, "longitude": 2.5, "name": "Here"}})
    assert bot.next().location.latitude == 1.5
    sandbox.customer({"type": "reaction", "reaction": {"message_id": "wamid.A", "emoji": "👍"}})
    assert bot.next().reaction.emoji == "👍"
    sandbox.customer({"type": "contacts", "contacts": [{"name": {"formatted_name": "Ada"}, "phones": []}]})
    assert bot.next().contacts[0].name.formatted_name == "Ada"
    for kind in ("video", "audio", "document", "sticker"):
        sandbox.customer({"type": kind, kind: {}})
        assert bot.next().type == kind


def test_button_and_list_replies_point_to_the_question(bot, wa, sandbox, open_window):
    asked = wa.send_message(to=USER, text="Well?", buttons=[types.Button(title="Yes", callback_data="yes")])
    statuses = [bot.next().status for _ in range(3)]
    assert statuses == ["sent", "delivered", "read"]
    reply = {"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes"}}
    sandbox.customer({"type": "interactive", "interactive": reply})
    tapped = bot.next()
    assert isinstance(tapped, types.CallbackButton)
    assert (tapped.data, tapped.title, tapped.reply_to_message.id) == ("yes", "Yes", asked.id)
    reply = {"type": "list_reply", "list_reply": {"id": "2", "title": "Two", "description": "second"}}
    sandbox.customer({"type": "interactive", "interactive": reply})
    chosen = bot.next()
    assert isinstance(chosen, types.CallbackSelection)
    assert (chosen.data, chosen.description) == ("2", "second")


def test_statuses_carry_the_tracker_and_the_price(bot, wa, open_window):
    sent = wa.send_message(to=USER, text="hello", tracker="run_1/send/0")
    updates = [bot.next() for _ in range(3)]
    assert [update.status for update in updates] == ["sent", "delivered", "read"]
    assert {(update.id, update.tracker) for update in updates} == {(sent.id, "run_1/send/0")}
    assert (updates[0].pricing.type, updates[0].pricing.billable) == ("free_customer_service", False)
    assert updates[0].from_user.wa_id == USER


def test_failures_are_typed(bot, wa, sandbox):
    wa.send_message(to=USER, text="outside the window")
    failed = bot.next()
    assert failed.status == "failed"
    assert isinstance(failed.error, ReEngagementMessage)
    plan = {"code": 131026, "title": "Message undeliverable", "after_sent": True}
    sandbox.control("POST", "/faults", {"webhooks": {"fail_next_messages": plan}})
    wa.send_message(to=USER, text="x")
    assert bot.next().status == "sent"
    assert isinstance(bot.next().error, MessageUndeliverable)


def test_the_handshake_is_answered(wa):
    assert wa.webhook_challenge_handler(vt="verify", ch="42") == ("42", 200)

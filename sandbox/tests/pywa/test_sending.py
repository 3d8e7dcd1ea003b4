"""pywa sends every kind of message and gets answers and errors it understands."""

import pytest
from conftest import USER
from pywa import errors
from pywa.types import Button, Contact, Section, SectionList, SectionRow, URLButton
from pywa.types.templates import (
    BodyText,
    FooterText,
    QuickReplyButton,
    Buttons,
    Template,
    TemplateCategory,
    TemplateLanguage,
)

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64


def test_text(wa, sandbox, open_window):
    sent = wa.send_message(
        to=USER, text="Hello https://example.com", preview_url=True, reply_to_message_id=open_window, tracker="run_1"
    )
    assert sent.id.startswith("wamid.")
    assert sent.chat.id == USER
    body = sandbox.last_request()["body"]
    assert body["context"] == {"message_id": open_window}
    assert body["biz_opaque_callback_data"] == "run_1"


def test_wa_id_may_differ_from_the_input(wa):
    assert wa.send_message(to="+52 55 1234 5678", text="Hola").chat.id == "5215512345678"


def test_a_business_scoped_user_id_is_a_recipient(wa):
    assert wa.send_message(to="US.13491208655302741918", text="x").chat.id == "US.13491208655302741918"


def test_image_by_id_after_upload(wa, sandbox, open_window):
    media = wa.upload_media(media=PNG, mime_type="image/png", filename="a.png")
    sent = wa.send_image(to=USER, image=media.id, caption="Look")
    assert sent.id
    assert sandbox.last_request()["body"]["image"] == {"id": media.id, "caption": "Look"}


def test_media_goes_up_and_comes_down(wa, tmp_path):
    media = wa.upload_media(media=PNG, mime_type="image/png", filename="a.png")
    found = wa.get_media_url(media.id)
    assert (found.mime_type, int(found.file_size)) == ("image/png", len(PNG))
    assert wa.get_media_bytes(found.url) == PNG
    path = wa.download_media(url=found.url, path=tmp_path, filename="b.png")
    assert path.read_bytes() == PNG
    assert wa.delete_media(media.id).success
    with pytest.raises(errors.WhatsAppError) as gone:
        wa.get_media_url(media.id)
    assert (gone.value.code, gone.value.subcode) == (100, 33)


def test_audio_video_document_sticker_by_link(wa, open_window):
    assert wa.send_audio(to=USER, audio="https://example.com/a.mp3").id
    assert wa.send_video(to=USER, video="https://example.com/a.mp4", caption="c").id
    assert wa.send_document(to=USER, document="https://example.com/a.pdf", filename="a.pdf").id
    assert wa.send_sticker(to=USER, sticker="https://example.com/a.webp").id


def test_buttons(wa, sandbox, open_window):
    buttons = [Button(title="Yes", callback_data="yes"), Button(title="No", callback_data="no")]
    assert wa.send_message(to=USER, text="Well?", header="Head", footer="Foot", buttons=buttons).id
    assert sandbox.last_request()["body"]["interactive"]["type"] == "button"


def test_too_many_buttons_are_refused(wa, open_window):
    buttons = [Button(title=str(n), callback_data=str(n)) for n in range(4)]
    with pytest.raises(errors.InvalidParameter):
        wa.send_message(to=USER, text="Well?", buttons=buttons)


def test_list(wa, open_window):
    rows = [SectionRow(title="One", callback_data="1", description="first"), SectionRow(title="Two", callback_data="2")]
    menu = SectionList(button_title="Menu", sections=[Section(title="All", rows=rows)])
    assert wa.send_message(to=USER, text="Choose", buttons=menu).id


def test_cta_url(wa, sandbox, open_window):
    assert wa.send_message(to=USER, text="Open", buttons=URLButton(title="Shop", url="https://example.com")).id
    assert sandbox.last_request()["body"]["interactive"]["type"] == "cta_url"


def test_location_and_contacts_and_request(wa, open_window):
    assert wa.send_location(to=USER, latitude=52.52, longitude=13.4, name="Berlin", address="Here").id
    contact = Contact(
        name=Contact.Name(formatted_name="Ada L", first_name="Ada"),
        phones=[Contact.Phone(phone="+16505550000", wa_id="16505550000", type="CELL")],
    )
    assert wa.send_contact(to=USER, contact=contact).id
    assert wa.request_location(to=USER, text="Where are you?").id


def test_reaction(wa, open_window):
    assert wa.send_reaction(to=USER, emoji="👍", message_id=open_window).id
    assert wa.remove_reaction(to=USER, message_id=open_window).id


def test_read_and_typing(wa, sandbox, open_window):
    assert wa.mark_message_as_read(open_window).success
    assert wa.indicate_typing(open_window).success
    assert sandbox.last_request()["body"]["typing_indicator"] == {"type": "text"}


def test_template(wa):
    created = wa.create_template(
        Template(
            name="order_update",
            language=TemplateLanguage.ENGLISH_US,
            category=TemplateCategory.UTILITY,
            components=[
                BodyText("Hi {{1}}, order {{2}} left.", "Asha", "4711"),
                FooterText(text="Shop"),
                Buttons(buttons=[QuickReplyButton(text="Thanks")]),
            ],
        )
    )
    assert created.id
    sent = wa.send_template(
        to=USER,
        name="order_update",
        language=TemplateLanguage.ENGLISH_US,
        params=[BodyText.params("Asha", "4711"), QuickReplyButton.params(callback_data="thanks", index=0)],
    )
    assert sent.id
    with pytest.raises(errors.TemplateParamCountMismatch):
        wa.send_template(
            to=USER, name="order_update", language=TemplateLanguage.ENGLISH_US, params=[BodyText.params("Asha")]
        )
    with pytest.raises(errors.TemplateNotExists):
        wa.send_template(to=USER, name="order_update", language=TemplateLanguage.GERMAN, params=[])
    names = [template.name for template in wa.get_templates()]
    assert names == ["hello_world", "order_update"]


@pytest.mark.parametrize(
    ("code", "kind", "http"),
    [
        (0, errors.AuthException, 401),
        (3, errors.APIMethod, 500),
        (4, errors.ToManyAPICalls, 400),
        (10, errors.PermissionDenied, 403),
        (190, errors.ExpiredAccessToken, 401),
        (230, errors.APIPermission, 403),
        (368, errors.TemporarilyBlocked, 403),
        (80007, errors.RateLimitIssues, 400),
        (130429, errors.RateLimitHit, 400),
        (130472, errors.UserIsInExperimentGroup, 400),
        (131000, errors.UnknownError, 500),
        (131005, errors.AccessDenied, 403),
        (131008, errors.MissingRequiredParameter, 400),
        (131016, errors.ServiceUnavailable, 500),
        (131026, errors.MessageUndeliverable, 400),
        (131030, errors.RecipientNotInAllowedList, 400),
        (131031, errors.AccountLocked, 403),
        (131042, errors.BusinessPaymentIssue, 400),
        (131047, errors.ReEngagementMessage, 400),
        (131048, errors.SpamRateLimitHit, 400),
        (131056, errors.TooManyMessages, 400),
        (131057, errors.AccountInMaintenanceMode, 500),
        (132015, errors.TemplatePaused, 400),
        (132016, errors.TemplateDisabled, 400),
    ],
)
def test_typed_errors(wa, sandbox, code, kind, http):
    sandbox.fail(code, path="/*/messages")
    with pytest.raises(kind) as caught:
        wa.send_message(to=USER, text="x")
    assert caught.value.code == code
    assert caught.value.status_code == http
    assert caught.value.fbtrace_id and caught.value.details


def test_html_from_an_edge(wa, sandbox):
    then = {"http_status": 502, "body": "<html>Bad Gateway</html>"}
    sandbox.control("POST", "/faults", {"times": 1, "then": then})
    with pytest.raises(errors.WhatsAppError) as caught:
        wa.send_message(to=USER, text="x")
    assert caught.value.code == 502


def test_number_profile_and_blocked_users(wa, open_window):
    number = wa.get_business_phone_number()
    assert (number.verified_name, number.throughput["level"]) == ("Sluice Demo", "STANDARD")
    assert wa.update_business_profile(about="We sell", websites=["https://example.com"]).success
    profile = wa.get_business_profile()
    assert (profile.about, profile.websites) == ("We sell", ("https://example.com",))
    assert wa.block_users([USER]).added_users[0].wa_id == USER

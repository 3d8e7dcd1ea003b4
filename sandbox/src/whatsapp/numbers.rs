//! The calls on numbers and accounts that are no messages: fields, profile, callbacks, subscriptions, blocked users.
//!
//! It must not know messages or media.

use super::WhatsApp;
use super::error::{Checked, GraphError};
use super::graph::GraphCall;
use super::params::{Params, Style};
use super::people::Person;
use super::phone;
use super::webhook::handshake;
use super::world::Subscription;
use crate::config::Number;
use crate::exchange::Reply;
use crate::journal::lock;
use serde_json::{Map, Value, json};

/// Fields of a number that are shown when none are asked for.
const DEFAULT_FIELDS: [&str; 8] = [
    "verified_name",
    "code_verification_status",
    "display_phone_number",
    "quality_rating",
    "platform_type",
    "throughput",
    "webhook_configuration",
    "id",
];

/// `GET /{phone_number_id}?fields=`. An unknown field is error 100.
pub(crate) fn show(wa: &WhatsApp, call: &GraphCall<'_>, number: &Number) -> Checked<Reply> {
    Ok(Reply::ok(Value::Object(view(wa, number, call.fields())?)))
}

fn view(wa: &WhatsApp, number: &Number, fields: Option<Vec<String>>) -> Checked<Map<String, Value>> {
    let all = all_fields(wa, number);
    let names = fields.unwrap_or_else(|| DEFAULT_FIELDS.iter().map(|name| (*name).to_owned()).collect());
    let mut shown = Map::new();
    for name in names {
        let known = all.get(&name).cloned();
        let value = known.ok_or_else(|| {
            GraphError::parameter(format!(
                "Tried accessing nonexisting field ({name}) on node type (WhatsAppBusinessPhoneNumber)"
            ))
        })?;
        if !value.is_null() {
            shown.insert(name, value);
        }
    }
    shown.insert("id".to_owned(), number.phone_number_id.as_str().into());
    Ok(shown)
}

fn all_fields(wa: &WhatsApp, number: &Number) -> Map<String, Value> {
    let code = phone::calling_code(&number.display_phone_number);
    let display = format!("+{code} {}", &number.display_phone_number[code.len()..]);
    let all = json!({
        "id": number.phone_number_id,
        "verified_name": number.verified_name,
        "display_phone_number": display,
        "quality_rating": "GREEN",
        "quality_score": { "score": "GREEN" },
        "code_verification_status": "VERIFIED",
        "name_status": "APPROVED",
        "new_name_status": "NONE",
        "status": "CONNECTED",
        "platform_type": "CLOUD_API",
        "account_mode": "SANDBOX",
        "throughput": { "level": "STANDARD" },
        "whatsapp_business_manager_messaging_limit": "TIER_250",
        "is_official_business_account": false,
        "is_pin_enabled": false,
        "is_on_biz_app": false,
        "is_preverified_number": false,
        "search_visibility": "NON_VISIBLE",
        "eligibility_for_api_business_global_search": "NON_ELIGIBLE_UNDEFINED_COUNTRY",
        "last_onboarded_time": null,
        "certificate": null,
        "new_certificate": null,
        "username": null,
        "country_code": null,
        "country_dial_code": code,
        "conversational_automation": null,
        "health_status": { "can_send_message": "AVAILABLE", "entities": [
            { "entity_type": "PHONE_NUMBER", "id": number.phone_number_id, "can_send_message": "AVAILABLE" },
            { "entity_type": "WABA", "id": number.waba_id, "can_send_message": "AVAILABLE" }
        ] },
        "webhook_configuration": callbacks(wa, number),
    });
    match all {
        Value::Object(all) => all,
        _ => Map::new(),
    }
}

fn callbacks(wa: &WhatsApp, number: &Number) -> Value {
    let world = lock(&wa.world);
    let mut shown = Map::new();
    if let Some(url) = world.number_callbacks.get(&number.phone_number_id) {
        shown.insert("phone_number".to_owned(), url.as_str().into());
    }
    if let Some(url) = world.subscriptions.get(&number.waba_id).and_then(|s| s.override_url.as_ref()) {
        shown.insert("whatsapp_business_account".to_owned(), url.as_str().into());
    }
    if let Some(url) = &world.app_callback {
        shown.insert("application".to_owned(), url.as_str().into());
    }
    Value::Object(shown)
}

/// `POST /{phone_number_id}` with `webhook_configuration`: the number's own callback.
pub(crate) async fn configure(wa: &WhatsApp, call: &GraphCall<'_>, number: &Number) -> Checked<Reply> {
    let body = call.json_body()?;
    let setting = Params::of(&body, "webhook_configuration", Style::Graph)?;
    let url = setting.optional_text("override_callback_uri", 200)?.unwrap_or_default();
    if !url.is_empty() {
        handshake::verify(wa, url, setting.text("verify_token", 1000)?).await?;
    }
    let mut world = lock(&wa.world);
    if url.is_empty() {
        world.number_callbacks.remove(&number.phone_number_id);
    } else {
        world.number_callbacks.insert(number.phone_number_id.clone(), url.to_owned());
    }
    Ok(Reply::ok(json!({ "success": true })))
}

/// `GET /{waba_id}/phone_numbers`
pub(crate) fn list(wa: &WhatsApp, call: &GraphCall<'_>, waba_id: &str) -> Checked<Reply> {
    let own = wa.config.numbers.iter().filter(|number| number.waba_id == waba_id);
    let data: Vec<Value> =
        own.map(|number| view(wa, number, call.fields()).map(Value::Object)).collect::<Checked<_>>()?;
    Ok(Reply::ok(json!({ "data": data, "paging": { "cursors": { "before": "QVFI", "after": "QVFI" } } })))
}

/// `GET /{waba_id}`
pub(crate) fn account(wa: &WhatsApp, waba_id: &str) -> Reply {
    let name = wa.config.numbers.iter().find(|n| n.waba_id == waba_id).map(|n| n.verified_name.as_str());
    Reply::ok(json!({
        "id": waba_id,
        "name": name.unwrap_or_default(),
        "timezone_id": "1",
        "message_template_namespace": format!("sandbox_{waba_id}"),
    }))
}

/// `GET /{phone_number_id}/whatsapp_business_profile`
pub(crate) fn show_profile(wa: &WhatsApp, call: &GraphCall<'_>, number: &Number) -> Reply {
    let world = lock(&wa.world);
    let mut stored = world.profiles.get(&number.phone_number_id).cloned().unwrap_or_default();
    // A number that never chose a branch has this one.
    stored.entry("vertical".to_owned()).or_insert_with(|| "UNDEFINED".into());
    let fields = call.fields().unwrap_or_else(|| vec!["messaging_product".to_owned()]);
    let mut shown: Map<String, Value> =
        stored.into_iter().filter(|(key, _)| fields.iter().any(|name| name == key)).collect();
    shown.insert("messaging_product".to_owned(), "whatsapp".into());
    Reply::ok(json!({ "data": [shown] }))
}

/// `POST /{phone_number_id}/whatsapp_business_profile`
pub(crate) fn edit_profile(wa: &WhatsApp, call: &GraphCall<'_>, number: &Number) -> Checked<Reply> {
    let body = call.json_body()?;
    let params = Params::new(&body, "", Style::Graph);
    params.one_of("messaging_product", &["whatsapp"])?;
    for (key, max) in [
        ("about", 139),
        ("address", 256),
        ("description", 256),
        ("email", 128),
        ("profile_picture_handle", 4096),
    ] {
        params.optional_text(key, max)?;
    }
    let websites = body.get("websites").and_then(Value::as_array).cloned().unwrap_or_default();
    let fits = websites.iter().all(|url| url.as_str().is_some_and(|text| text.len() <= 256));
    if websites.len() > 2 || !fits {
        return Err(params.invalid("websites", "must have at most 2 elements of at most 256 characters."));
    }
    let mut world = lock(&wa.world);
    let profile = world.profiles.entry(number.phone_number_id.clone()).or_default();
    for (key, value) in body.iter().filter(|(key, _)| *key != "messaging_product") {
        profile.insert(key.clone(), value.clone());
    }
    Ok(Reply::ok(json!({ "success": true })))
}

/// `GET /{waba_id}/subscribed_apps`
pub(crate) fn subscriptions(wa: &WhatsApp, waba_id: &str) -> Reply {
    let world = lock(&wa.world);
    let active = world.subscriptions.get(waba_id).filter(|subscription| subscription.active);
    let data = active.into_iter().map(|subscription| {
        let id = &wa.config.app_id;
        let link = format!("https://www.facebook.com/games/?app_id={id}");
        let mut row =
            json!({ "whatsapp_business_api_data": { "link": link, "name": "Sandbox app", "id": id } });
        if let Some(url) = &subscription.override_url {
            row["override_callback_uri"] = url.as_str().into();
        }
        row
    });
    let data: Vec<Value> = data.collect();
    Reply::ok(json!({ "data": data }))
}

/// `POST /{waba_id}/subscribed_apps`: without a body subscribe and drop the override, with one set it.
pub(crate) async fn subscribe(wa: &WhatsApp, call: &GraphCall<'_>, waba_id: &str) -> Checked<Reply> {
    let body = call.json_body()?;
    let params = Params::new(&body, "", Style::Graph);
    let url = params.optional_text("override_callback_uri", 200)?.filter(|url| !url.is_empty());
    if let Some(url) = url {
        let subscribed = lock(&wa.world).subscriptions.get(waba_id).is_some_and(|s| s.active);
        if !subscribed {
            return Err(GraphError::parameter(
                "Before override the current callback uri, your app must be subscribed to receive messages for WhatsApp Business Account",
            ));
        }
        handshake::verify(wa, url, params.text("verify_token", 1000)?).await?;
    }
    let subscription = Subscription { active: true, override_url: url.map(str::to_owned) };
    lock(&wa.world).subscriptions.insert(waba_id.to_owned(), subscription);
    Ok(Reply::ok(json!({ "success": true })))
}

/// `DELETE /{waba_id}/subscribed_apps`
pub(crate) fn unsubscribe(wa: &WhatsApp, waba_id: &str) -> Reply {
    lock(&wa.world).subscriptions.insert(waba_id.to_owned(), Subscription::default());
    Reply::ok(json!({ "success": true }))
}

/// `POST /{app_id}/subscriptions`: the app's default callback, verified at once.
pub(crate) async fn set_app_callback(wa: &WhatsApp, call: &GraphCall<'_>) -> Checked<Reply> {
    let mut fields = call.json_body()?;
    for (key, value) in &call.call.query {
        fields.entry(key.clone()).or_insert_with(|| value.as_str().into());
    }
    let params = Params::new(&fields, "", Style::Graph);
    params.one_of("object", &["whatsapp_business_account"])?;
    let url = params.text("callback_url", 2000)?;
    handshake::verify(wa, url, params.text("verify_token", 1000)?).await?;
    lock(&wa.world).app_callback = Some(url.to_owned());
    Ok(Reply::ok(json!({ "success": true })))
}

/// `GET /{phone_number_id}/block_users`
pub(crate) fn blocked(wa: &WhatsApp, number: &Number) -> Reply {
    let world = lock(&wa.world);
    let list = world.blocked.get(&number.phone_number_id);
    let data: Vec<Value> = list.into_iter().flatten().map(|(input, person)| row(input, person)).collect();
    Reply::ok(json!({ "data": data, "paging": { "cursors": { "before": "QVFI", "after": "QVFI" } } }))
}

/// `POST` (block) and `DELETE` (unblock) `/{phone_number_id}/block_users`. Only users who wrote in the last 24 hours can be
/// blocked.
pub(crate) fn change_blocked(
    wa: &WhatsApp,
    call: &GraphCall<'_>,
    number: &Number,
    block: bool,
) -> Checked<Reply> {
    let body = call.json_body()?;
    let params = Params::new(&body, "", Style::Graph);
    params.one_of("messaging_product", &["whatsapp"])?;
    let users = params.list("block_users", 1, 1000)?;
    let now = wa.clock.now_ms();
    let mut world = lock(&wa.world);
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for user in users {
        let input = match user.optional_text("user_id", 200)? {
            Some(id) => id,
            None => user.text("user", 40)?,
        };
        let person = if phone::is_user_id(input) {
            world.people.by_user_id(input)
        } else {
            let wa_id = phone::wa_id(input, &number.display_phone_number);
            world.people.by_phone(&wa_id.ok_or_else(|| user.invalid("user", "must be a phone number."))?)
        };
        let list = world.blocked.entry(number.phone_number_id.clone()).or_default();
        if !block {
            list.retain(|_, blocked| blocked.user_id != person.user_id);
            done.push(row(input, &person));
        } else if world.window_is_open(number, &person, now) {
            done.push(row(input, &person));
            world.blocked.entry(number.phone_number_id.clone()).or_default().insert(input.to_owned(), person);
        } else {
            let error =
                json!({ "message": "The user has not written in the last 24 hours.", "code": 131047 });
            failed.push(json!({ "input": input, "errors": [error] }));
        }
    }
    let mut answer = Map::new();
    answer.insert(if block { "added_users" } else { "removed_users" }.to_owned(), done.into());
    let mut whole = json!({ "messaging_product": "whatsapp" });
    if !failed.is_empty() {
        answer.insert("failed_users".to_owned(), failed.into());
        whole["errors"] = json!({
            "message": "(#139100) Failed to block/unblock some users", "type": "OAuthException", "code": 139100,
            "error_data": { "details": "Failed to block some users, see the block_users response list for details" }
        });
    }
    whole["block_users"] = Value::Object(answer);
    Ok(Reply::ok(whole))
}

fn row(input: &str, person: &Person) -> Value {
    let mut row = json!({ "messaging_product": "whatsapp", "input": input });
    if let Some(wa_id) = &person.wa_id {
        row["wa_id"] = wa_id.as_str().into();
    }
    row["user_id"] = person.user_id.as_str().into();
    row
}

//! What a delivery status changes about what a message costs: its category is known for certain, or it failed and costs
//! nothing. Each is written once per message, whatever is repeated. Must not know prices.

use serde_json::Value;
use std::collections::BTreeMap;

use super::{Delivery, Direction, Message, StatusRecord};
use crate::ledger::Charge;
use crate::usage::{CATEGORY, MESSAGE, UsageEvent, event_by_key};
use crate::{RecordError, Records};

/// What the provider says that it charges for a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pricing {
    /// Such as `marketing`.
    pub category: String,
    pub is_billable: bool,
}

impl Pricing {
    /// The object `pricing` of a status: type and category count, `billable` only where there is no type.
    /// <https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/messages/status>
    pub(crate) fn read(pricing: &Value) -> Option<Self> {
        let category = pricing.get("category")?.as_str().filter(|category| !category.is_empty())?;
        let is_billable = match pricing.get("type").and_then(Value::as_str) {
            Some(kind) => !kind.starts_with("free_"),
            None => pricing.get("billable").and_then(Value::as_bool).unwrap_or(true),
        };
        // What the sending node supposes is spelled likewise.
        Some(Self { category: crate::ids::clean(category).replace('-', "_"), is_billable })
    }
}

type Attributes = BTreeMap<String, String>;

impl Records {
    /// Settles what a status says about the cost of a message that an effect sent.
    pub(super) async fn charge_by_status(
        &self,
        status: &StatusRecord,
        message: Option<&Message>,
    ) -> Result<(), RecordError> {
        if message.is_some_and(|message| message.direction != Direction::Out) {
            return Ok(());
        }
        let sent_by = message.and_then(|message| message.effect_id.as_deref());
        let Some(effect_id) = sent_by.or(status.effect_id.as_deref()) else { return Ok(()) };
        // One participant's failure is not the failure of a group message.
        let says_failed = Delivery::from_text(&status.status) == Some(Delivery::Failed);
        let has_failed = says_failed
            && status.participant.is_none()
            && message.is_none_or(|message| message.status == Delivery::Failed);
        if has_failed {
            self.refund_failed(status, message, effect_id).await
        } else if let Some(pricing) = &status.pricing {
            self.correct_category(status, message, effect_id, pricing).await
        } else {
            Ok(())
        }
    }

    async fn refund_failed(
        &self,
        status: &StatusRecord,
        message: Option<&Message>,
        effect_id: &str,
    ) -> Result<(), RecordError> {
        let workspace_id = &status.workspace_id;
        // Charged first where the sender has not come to it yet: what was only given back could be charged again.
        self.settle_hold(workspace_id, effect_id, Charge::Whole).await?;
        self.refund_hold(workspace_id, effect_id).await?;
        let corrected = event_by_key(&self.db, workspace_id, &format!("{}/in", correction(status))).await?;
        let counted = match corrected {
            Some(attributes) => attributes,
            None => self.supposed(workspace_id, message, effect_id).await?,
        };
        let event = self.correcting(status, effect_id, format!("{}/failed", correction(status)), -1, counted);
        self.note_usage(&[event]).await?;
        Ok(())
    }

    async fn correct_category(
        &self,
        status: &StatusRecord,
        message: Option<&Message>,
        effect_id: &str,
        pricing: &Pricing,
    ) -> Result<(), RecordError> {
        let workspace_id = &status.workspace_id;
        self.settle_category(workspace_id, effect_id, &pricing.category, pricing.is_billable).await?;
        let supposed = self.supposed(workspace_id, message, effect_id).await?;
        let actual = Attributes::from([(CATEGORY.to_owned(), pricing.category.clone())]);
        if supposed == actual {
            return Ok(());
        }
        let key = correction(status);
        let events = [
            self.correcting(status, effect_id, format!("{key}/out"), -1, supposed),
            self.correcting(status, effect_id, format!("{key}/in"), 1, actual),
        ];
        self.note_usage(&events).await?;
        Ok(())
    }

    /// Under which attributes the message was counted. What its run has not committed yet follows from its type.
    async fn supposed(
        &self,
        workspace_id: &str,
        message: Option<&Message>,
        effect_id: &str,
    ) -> Result<Attributes, RecordError> {
        if let Some(counted) = event_by_key(&self.db, workspace_id, &usage_key(effect_id)).await? {
            return Ok(counted);
        }
        let is_free_form = message.is_some_and(|message| message.kind != "template");
        let service = || (CATEGORY.to_owned(), "service".to_owned());
        Ok(is_free_form.then(service).into_iter().collect())
    }

    fn correcting(
        &self,
        status: &StatusRecord,
        effect_id: &str,
        key: String,
        quantity: i64,
        attributes: Attributes,
    ) -> UsageEvent {
        UsageEvent {
            workspace_id: status.workspace_id.clone(),
            key,
            kind: MESSAGE.to_owned(),
            quantity,
            attributes,
            run_id: effect_id.split('/').next().map(ToOwned::to_owned),
            at: self.now(),
        }
    }
}

/// The key of what a status corrects, by the provider's id.
fn correction(status: &StatusRecord) -> String {
    format!("wamid/{}/{}", status.phone_number_id, crate::ids::clean(&status.wamid))
}

/// The key under which the engine counts the message of an item: `run/node/iteration` with the item's number behind a
/// `#`, except for the first.
fn usage_key(effect_id: &str) -> String {
    let (effect, item) = effect_id.split_once('#').unwrap_or((effect_id, "0"));
    format!("{effect}/{MESSAGE}/{item}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn type_and_category_say_what_is_charged() {
        let read = |value: Value| Pricing::read(&value).map(|found| (found.category, found.is_billable));
        let of = |kind| json!({"category": "utility", "type": kind, "billable": true});
        assert_eq!(read(of("regular")), Some(("utility".into(), true)));
        assert_eq!(read(of("free_customer_service")), Some(("utility".into(), false)));
        assert_eq!(read(of("free_entry_point")), Some(("utility".into(), false)));
        assert_eq!(
            read(json!({"category": "marketing", "billable": false})),
            Some(("marketing".into(), false))
        );
        assert_eq!(read(json!({"category": "marketing"})), Some(("marketing".into(), true)));
        assert_eq!(read(json!({"billable": true})), None);
        assert_eq!(read(Value::Null), None);
    }

    #[test]
    fn every_item_has_its_key() {
        assert_eq!(usage_key("run_1/send/0"), "run_1/send/0/message/0");
        assert_eq!(usage_key("run_1/send/2#17"), "run_1/send/2/message/17");
    }
}

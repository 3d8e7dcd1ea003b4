//! The ground the tests stand on: a workspace with a connected number, and a clock that is turned by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Value, json};
use sluice_db::Db;
use sluice_records::{Cipher, Identity, MasterKey, NewCredential, NewNumber, Records, Secret, Workspace};

/// The number of the published samples.
pub(crate) const NUMBER: &str = "106540352242922";
/// Their business account.
pub(crate) const WABA: &str = "102290129340398";
/// A Tuesday.
pub(crate) const START: i64 = 1_750_000_000_000;

pub(crate) struct Ground {
    pub(crate) records: Records,
    pub(crate) workspace: Workspace,
    clock: Arc<AtomicI64>,
}

impl Ground {
    /// A workspace without a number.
    pub(crate) async fn bare(db: Db) -> Self {
        let clock = Arc::new(AtomicI64::new(START));
        let tick = clock.clone();
        let cipher = Cipher::new(MasterKey::parse(&"5a".repeat(32)).unwrap());
        let records = Records::with_clock(db, cipher, Arc::new(move || tick.load(Ordering::SeqCst)));
        let workspace = records.create_workspace("asha-foods").await.unwrap();
        Self { records, workspace, clock }
    }

    /// A workspace with the samples' number.
    pub(crate) async fn connected(db: Db) -> Self {
        let ground = Self::bare(db).await;
        connect(&ground.records, &ground.workspace.id, NUMBER, WABA).await;
        ground
    }

    pub(crate) fn pass(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn ws(&self) -> &str {
        &self.workspace.id
    }

    /// A contact with this phone.
    pub(crate) async fn contact(&self, phone: &str) -> String {
        self.records.resolve_contact(self.ws(), &[phone_of(phone)], None).await.unwrap().0.id
    }
}

pub(crate) async fn connect(records: &Records, workspace_id: &str, number: &str, waba: &str) {
    let credential = NewCredential {
        name: format!("whatsapp-{number}"),
        kind: "whatsapp".into(),
        public: json!({}),
        secret: Secret::new(json!({"access_token": "EAAtoken"})),
    };
    let credential = records.create_credential(workspace_id, credential).await.unwrap();
    let number = NewNumber {
        phone_number_id: number.into(),
        waba_id: waba.into(),
        display_phone_number: "15550783881".into(),
        verified_name: Some("Asha Foods".into()),
        credential: credential.name,
    };
    records.connect_number(workspace_id, number).await.unwrap();
}

pub(crate) fn phone_of(digits: &str) -> Identity {
    Identity::phone(digits, None).unwrap()
}

/// A webhook body with one change of the samples' number.
pub(crate) fn body(field: &str, mut value: Value) -> Vec<u8> {
    value["metadata"] = json!({"display_phone_number": "15550783881", "phone_number_id": NUMBER});
    json!({"object": "whatsapp_business_account",
        "entry": [{"id": WABA, "changes": [{"field": field, "value": value}]}]})
    .to_string()
    .into_bytes()
}

/// A body with one message.
pub(crate) fn message(id: &str, from: &str, content: Value) -> Vec<u8> {
    let mut message = content;
    message["id"] = json!(id);
    message["from"] = json!(from);
    if message.get("timestamp").is_none() {
        message["timestamp"] = json!((START / 1000).to_string());
    }
    body(
        "messages",
        json!({"contacts": [{"profile": {"name": "Asha Rao"}, "wa_id": from}], "messages": [message]}),
    )
}

//! `sluice demo`: the service with the sandbox and a workspace that is ready to talk.

use super::serve::{Service, stop_signal};
use super::{Answer, Extra, configure};
use crate::cli::DemoArgs;
use crate::templates::TEMPLATES;
use crate::wiring::{Installation, explain};
use serde_json::json;
use sluice_engine::document::Document;
use sluice_engine::drive::EngineError;
use sluice_engine::store::StoreError;
use sluice_engine::testing::describe;
use sluice_records::people::{CodePurpose, NewPerson};
use sluice_records::{NewCredential, NewNumber, RecordError, Records, Role, Scope, Secret};
use sluice_sandbox::{Sandbox, SandboxConfig};
use std::path::PathBuf;

/// Name of the demo workspace.
const WORKSPACE: &str = "demo";

/// Who signs in to it.
const OWNER: &str = "owner@sluice.test";

/// The customer's number in the printed commands.
const CUSTOMER: &str = "919876543210";

/// Runs the demo.
pub(super) async fn run(args: DemoArgs, extra: Extra) -> Answer {
    let mut settings = args.settings;
    settings.data = settings.data.or_else(|| Some(PathBuf::from("./data/demo")));
    settings.whatsapp_app_secret =
        settings.whatsapp_app_secret.or_else(|| Some(SandboxConfig::default().app_secret));
    settings.whatsapp_verify_token =
        settings.whatsapp_verify_token.or_else(|| Some(SandboxConfig::default().verify_token));
    // The sandbox takes its address first, so that the service knows where its Graph API is.
    let app_secret = settings.whatsapp_app_secret.clone().unwrap_or_default();
    let sandbox_config = SandboxConfig { app_secret, ..SandboxConfig::default() };
    let number = sandbox_config.numbers.first().cloned().ok_or("the sandbox has no number")?;
    let sandbox = Sandbox::start_on(&args.sandbox_listen, sandbox_config).await;
    let sandbox = sandbox.map_err(|error| {
        format!(
            "the sandbox cannot listen on {}: {error}; choose another address with --sandbox-listen",
            args.sandbox_listen
        )
    })?;
    let google = SandboxConfig::default().oauth;
    if settings.google_client_id.is_none() {
        settings.google_client_id = Some(google.client_id);
        settings.google_client_secret = Some(google.client_secret);
        settings.google_auth_base_url = settings.google_auth_base_url.or_else(|| Some(sandbox.base_url()));
    }
    if settings.smtp_url.is_none() && settings.mail_from.is_none() {
        settings.smtp_url = Some(sandbox.smtp_url());
        settings.mail_from = Some("Sluice <no-reply@sluice.test>".to_owned());
    }
    settings.graph_base_url = settings.graph_base_url.or_else(|| Some(sandbox.base_url()));
    let service = Service::open(configure(settings)?, &extra).await?;
    let address = service.address()?;
    sandbox.connect(Some(&format!("http://{address}/api/whatsapp/webhook")));
    let key = furnish(&service.installation, &number).await?;
    let password = make_owner(&service.installation.records).await?;
    println!("{}", welcome(&address, &sandbox.base_url(), &number.phone_number_id, &key, &password));
    let answer = service.serve(stop_signal()).await;
    sandbox.stop();
    answer
}

/// Makes the workspace, connects the sandbox's number and publishes the templates. Repeating it changes nothing
/// but the key.
async fn furnish(installation: &Installation, number: &sluice_sandbox::Number) -> Result<String, String> {
    let records = &installation.records;
    let workspace = records.workspace_or_create(WORKSPACE).await.map_err(|error| explain(&error))?;
    let credential = NewCredential {
        name: "whatsapp".to_owned(),
        kind: "whatsapp".to_owned(),
        public: json!({ "phone_number_id": number.phone_number_id }),
        secret: Secret::new(json!({ "access_token": "sandbox-token" })),
    };
    match records.create_credential(&workspace.id, credential).await {
        Ok(_) | Err(RecordError::Conflict { .. }) => {}
        Err(error) => return Err(explain(&error)),
    }
    let new = NewNumber {
        phone_number_id: number.phone_number_id.clone(),
        waba_id: number.waba_id.clone(),
        display_phone_number: number.display_phone_number.clone(),
        verified_name: Some(number.verified_name.clone()),
        credential: "whatsapp".to_owned(),
    };
    records.connect_number(&workspace.id, new).await.map_err(|error| explain(&error))?;
    for (id, text) in TEMPLATES {
        let document: Document =
            serde_json::from_str(text).map_err(|error| format!("template {id}: {error}"))?;
        match installation.engine.create_workflow(&workspace.id, document).await {
            Ok(row) => {
                let published = installation.engine.publish(&workspace.id, &row.id, None).await;
                published.map_err(|error| format!("template {id}: {}", describe(&error)))?;
            }
            Err(EngineError::Store(StoreError::NameTaken)) => {}
            Err(error) => return Err(format!("template {id}: {}", describe(&error))),
        }
    }
    let key = records
        .create_api_key(Scope::Workspace(workspace.id), "demo")
        .await
        .map_err(|error| explain(&error))?;
    Ok(key.key)
}

/// Makes the owner of the workspace, with a new password each time: a demo that somebody finds has none to guess.
async fn make_owner(records: &Records) -> Result<String, String> {
    let failed = |error: RecordError| explain(&error);
    let workspace = records.workspace_by_name(WORKSPACE).await.map_err(failed)?;
    let new = NewPerson {
        email: OWNER.to_owned(),
        name: "Demo Owner".to_owned(),
        role: Role::Owner,
        scope: Scope::Workspace(workspace.id),
    };
    records.create_person(&new).await.map_err(failed)?;
    let code = records.make_code(CodePurpose::ResetPassword, OWNER).await.map_err(failed)?;
    let mut password = uuid::Uuid::new_v4().simple().to_string();
    password.truncate(16);
    records.reset_password(OWNER, &code, &password, "demo").await.map_err(failed)?;
    Ok(password)
}

fn welcome(address: &str, sandbox: &str, phone_number_id: &str, key: &str, password: &str) -> String {
    let write = |text: &str| {
        format!(
            "curl -s {sandbox}/_sandbox/whatsapp/inbound -H 'content-type: application/json' -d '{{\"phone_number_id\":\"{phone_number_id}\",\"from\":{{\"phone\":\"{CUSTOMER}\",\"name\":\"Asha\"}},\"message\":{{\"type\":\"text\",\"text\":{{\"body\":\"{text}\"}}}}}}'"
        )
    };
    format!(
        "
Sluice is running.

  Service   http://{address}   (open it in a browser; workspace `{WORKSPACE}`)
  Sandbox   {sandbox}   (plays WhatsApp; nothing leaves this machine)
  API key   {key}
  Sign in   {OWNER}   password {password}
  Mail      {sandbox}/_sandbox/mail   (what the mail server of the sandbox received)

Write as the customer:
  {}

See what the customer's phone shows:
  curl -s '{sandbox}/_sandbox/messages?to={CUSTOMER}'

See the runs, and one of them node by node:
  curl -s http://{address}/api/runs -H 'authorization: Bearer {key}'
  curl -s http://{address}/api/runs/RUN_ID -H 'authorization: Bearer {key}'

Stop with Ctrl-C.
",
        write("menu")
    )
}

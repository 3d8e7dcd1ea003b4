//! `sluice migrate` and `sluice doctor`.

use super::{Answer, configure, exit};
use crate::config::{Config, Settings};
use crate::wiring::{explain, master_key, open_database};
use sluice_node_sdk::egress::EgressPolicy;

/// Brings the schema up to date.
pub(super) async fn migrate(settings: Settings) -> Answer {
    let config = configure(settings)?;
    let db = open_database(&config).await?;
    db.migrate().await.map_err(|error| explain(&error))?;
    println!("{} is at schema version {}", db.place(), db.known_schema());
    db.close().await;
    Ok(exit(true))
}

/// Checks everything that can be wrong before the service starts.
pub(super) async fn doctor(settings: Settings) -> Answer {
    let config = configure(settings)?;
    let checks = [
        ("database", check_database(&config).await),
        ("master key", master_key(&config).map(|_| "readable".to_owned())),
        ("listening address", check_address(&config).await),
        (
            "egress_allow",
            EgressPolicy::parse(&config.egress_allow)
                .map(|_| "well-formed".to_owned())
                .map_err(|error| error.to_string()),
        ),
        ("WhatsApp app secret", check_whatsapp(&config)),
    ];
    let mut good = true;
    for (what, result) in checks {
        good &= result.is_ok();
        match result {
            Ok(found) => println!("ok    {what}: {found}"),
            Err(problem) => println!("FAIL  {what}: {problem}"),
        }
    }
    Ok(exit(good))
}

async fn check_database(config: &Config) -> Result<String, String> {
    let db = open_database(config).await?;
    db.ping().await.map_err(|error| explain(&error))?;
    let found = match db.schema_version().await.map_err(|error| explain(&error))? {
        None => "reachable, empty; `sluice migrate` or `sluice serve` sets it up".to_owned(),
        Some(version) if version == db.known_schema() => format!("reachable, schema version {version}"),
        Some(version) if version < db.known_schema() => {
            format!(
                "reachable, schema version {version}; `sluice migrate` brings it to {}",
                db.known_schema()
            )
        }
        Some(version) => {
            return Err(format!(
                "schema version {version} is newer than this program knows ({}); update sluice",
                db.known_schema()
            ));
        }
    };
    Ok(found)
}

async fn check_address(config: &Config) -> Result<String, String> {
    match tokio::net::TcpListener::bind(&config.listen).await {
        Ok(_) => Ok(format!("{} is free", config.listen)),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            Ok(format!("{} is in use (fine if this service is running there)", config.listen))
        }
        Err(error) => Err(format!("{}: {error}", config.listen)),
    }
}

fn check_whatsapp(config: &Config) -> Result<String, String> {
    if config.whatsapp_app_secrets.is_empty() {
        return Ok(
            "not set; WhatsApp webhooks are refused until SLUICE_WHATSAPP_APP_SECRET is set".to_owned()
        );
    }
    if config.whatsapp_verify_token.is_none() {
        return Err(
            "SLUICE_WHATSAPP_VERIFY_TOKEN is not set; Meta cannot verify the webhook address".to_owned()
        );
    }
    Ok(format!("{} set", config.whatsapp_app_secrets.len()))
}

//! `sluice migrate` and `sluice doctor`.

use super::{Answer, configure, exit};
use crate::config::{Config, Settings};
use crate::storage::{Keeping, Place};
use crate::wiring::{cipher, explain, open_database};
use sluice_node_sdk::duration::Duration;
use sluice_node_sdk::egress::EgressPolicy;
use sluice_records::Records;

/// Begins a finding that is no failure and yet must be seen.
const WARNING: &str = "warning: ";

/// Writes a SQLite database anew, without free space.
pub(super) async fn vacuum(settings: Settings) -> Answer {
    let config = configure(settings)?;
    let db = open_database(&config).await?;
    let Some(before) = db.space().await.map_err(|error| explain(&error))? else {
        println!("{} needs no vacuum by us: the server looks after its space", db.place());
        db.close().await;
        return Ok(exit(true));
    };
    db.vacuum().await.map_err(|error| explain(&error))?;
    let after = db.space().await.map_err(|error| explain(&error))?.unwrap_or(before);
    println!(
        "{}: {} MiB before, {} MiB now; from now on space is given back while the service runs",
        db.place(),
        mebibytes(before.pages * before.page_size),
        mebibytes(after.pages * after.page_size)
    );
    db.close().await;
    Ok(exit(true))
}

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
        ("space", check_space(&config).await),
        ("payloads", check_payloads(&config).await),
        ("retention", Ok(told_of_retention(&config.keeping))),
        ("master key", check_vault(&config).await),
        ("listening address", check_address(&config).await),
        (
            "egress_allow",
            EgressPolicy::parse(&config.egress_allow)
                .map(|_| "well-formed".to_owned())
                .map_err(|error| error.to_string()),
        ),
        ("WhatsApp app secret", check_whatsapp(&config)),
        ("mail", check_mail(&config).await),
        ("outbox", check_outbox(&config).await),
    ];
    let mut good = true;
    for (what, result) in checks {
        good &= result.is_ok();
        match result {
            Ok(found) => match found.strip_prefix(WARNING) {
                Some(warning) => println!("warn  {what}: {warning}"),
                None => println!("ok    {what}: {found}"),
            },
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

/// How much of a SQLite file is in use, and whether it can shrink.
async fn check_space(config: &Config) -> Result<String, String> {
    let db = open_database(config).await?;
    let found = db.space().await.map_err(|error| explain(&error))?;
    db.close().await;
    let Some(space) = found else { return Ok("the server looks after it".to_owned()) };
    let (all, free) = (mebibytes(space.pages * space.page_size), mebibytes(space.free_bytes()));
    if !space.can_shrink {
        return Ok(format!(
            "{WARNING}{free} MiB of {all} MiB are free, and the file cannot give them back to the disk; stop the \
             service and run `sluice vacuum` once"
        ));
    }
    Ok(format!("{free} MiB of {all} MiB are free"))
}

fn mebibytes(bytes: i64) -> i64 {
    bytes >> 20
}

/// Whether the master keys are there that the database asks for.
async fn check_vault(config: &Config) -> Result<String, String> {
    let cipher = cipher(config)?;
    let db = open_database(config).await?;
    let known = db.schema_version().await.map_err(|error| explain(&error))?;
    if known != Some(db.known_schema()) {
        return Ok("readable".to_owned());
    }
    let records = sluice_records::Records::new(db.clone(), cipher);
    let status = records.vault().status().await.map_err(|error| explain(&error))?;
    db.close().await;
    if let Some((id, count, _)) = status.data_keys.iter().find(|(_, _, known)| !known) {
        return Err(format!(
            "{count} data keys are wrapped with master key {id}, which this configuration does not have; add it to \
             SLUICE_MASTER_KEY_EARLIER"
        ));
    }
    if status.data_keys.iter().any(|(id, _, _)| *id != status.master_key) {
        return Ok(format!("{WARNING}readable; `sluice vault rotate` makes earlier master keys needless"));
    }
    Ok("readable".to_owned())
}

/// Writes, reads and deletes a small payload.
async fn check_payloads(config: &Config) -> Result<String, String> {
    let Some(payloads) = config.payloads.open()? else {
        return Ok("off; everything is in the database".to_owned());
    };
    let (place, threshold) = (payloads.place(), config.payloads.threshold);
    let Some(threshold) = threshold else {
        return Ok(format!("everything new is in the database; {} is only read", place.name()));
    };
    let key = format!("doctor/probe/{}", std::process::id());
    let failed = |error| format!("{}: {}", place.name(), explain(&error));
    place.put(&key, "probe".into()).await.map_err(failed)?;
    let read = place.get(&key).await.map_err(failed)?;
    place.delete(&key).await.map_err(failed)?;
    if read.as_deref() != Some(b"probe") {
        return Err(format!("{} gives something else back than was written", place.name()));
    }
    let found = format!("{} can be written and read; bodies over {threshold} bytes go there", place.name());
    let is_local = matches!(config.payloads.place, Place::Folder(_));
    if is_local && config.database.starts_with("postgres") {
        return Ok(format!("{WARNING}{found}; every process must see this same folder, else use `s3://`"));
    }
    Ok(found)
}

fn told_of_retention(keeping: &Keeping) -> String {
    const DAY: i64 = 86_400_000;
    let told = |length: Option<i64>| match length {
        None => "for ever".to_owned(),
        Some(ms) if ms % DAY == 0 => format!("{}d", ms / DAY),
        Some(ms) => Duration::from_ms(ms).to_string(),
    };
    format!(
        "finished runs {}, test runs {}, what came in {}",
        told(keeping.runs),
        told(keeping.tests),
        told(keeping.inbound)
    )
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

async fn check_mail(config: &Config) -> Result<String, String> {
    let Some(settings) = &config.mail else {
        return Ok("not set; nobody can sign up or reset a password until SLUICE_SMTP_URL and SLUICE_MAIL_FROM are set \
                   (`sluice person code` prints codes)"
            .to_owned());
    };
    settings.open()?.check().await.map_err(|error| format!("{}: {error}", settings.host()))?;
    Ok(format!("{} answers", settings.host()))
}

/// Whether letters wait that could not be sent.
async fn check_outbox(config: &Config) -> Result<String, String> {
    let db = open_database(config).await?;
    if db.schema_version().await.map_err(|error| explain(&error))? != Some(db.known_schema()) {
        return Ok("not looked at, the schema is not up to date".to_owned());
    }
    let records = Records::new(db.clone(), cipher(config)?);
    let stuck = records.stuck_mail(100).await.map_err(|error| explain(&error))?;
    db.close().await;
    let Some(oldest) = stuck.first() else { return Ok("nothing is stuck".to_owned()) };
    let reason = oldest.last_error.as_deref().unwrap_or_default();
    Ok(format!("{WARNING}{} letters could not be sent; the oldest ({}): {reason}", stuck.len(), oldest.id))
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

//! `sluice key create`: works on the database, also while the service runs.

use super::{Answer, configure, exit};
use crate::cli::KeyCreateArgs;
use crate::wiring::{cipher, explain, open_database};
use sluice_records::{RecordError, Records, Scope};

/// Creates a key and prints it, alone on the last line of standard output.
pub(super) async fn create(args: KeyCreateArgs) -> Answer {
    let config = configure(args.settings)?;
    let db = open_database(&config).await?;
    db.migrate().await.map_err(|error| explain(&error))?;
    let records = Records::new(db.clone(), cipher(&config)?);
    let scope = match &args.workspace {
        None => Scope::Platform,
        Some(name) if args.create => {
            Scope::Workspace(records.workspace_or_create(name).await.map_err(|error| explain(&error))?.id)
        }
        Some(name) => match records.workspace_by_name(name).await {
            Ok(workspace) => Scope::Workspace(workspace.id),
            Err(RecordError::NotFound { .. }) => {
                return Err(format!("there is no workspace `{name}`; add --create to make it"));
            }
            Err(error) => return Err(explain(&error)),
        },
    };
    let key = records.create_api_key(scope, &args.name).await.map_err(|error| explain(&error))?;
    println!("{}", key.key);
    db.close().await;
    Ok(exit(true))
}

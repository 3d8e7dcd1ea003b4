//! `sluice person create` and `sluice person code`: work on the database, also while the service runs.

use super::{Answer, configure, exit};
use crate::cli::{CodeFor, PersonCodeArgs, PersonCreateArgs};
use crate::config::Settings;
use crate::wiring::{cipher, explain, open_database};
use sluice_records::people::{CodePurpose, NewPerson};
use sluice_records::{RecordError, Records, Role, Scope};

/// Makes a person, or gives one a role. Prints a code to set the password, alone on the last line of standard output.
pub(super) async fn create(args: PersonCreateArgs) -> Answer {
    let role = Role::from_text(&args.role).ok_or_else(|| {
        let known: Vec<_> = Role::ALL.iter().map(|role| role.as_text()).collect();
        format!("there is no role `{}`; roles are {}", args.role, known.join(", "))
    })?;
    let (records, public_url) = open(args.settings).await?;
    let scope = match &args.workspace {
        None => Scope::Platform,
        Some(name) => match records.workspace_by_name(name).await {
            Ok(workspace) => Scope::Workspace(workspace.id),
            Err(RecordError::NotFound { .. }) => return Err(format!("there is no workspace `{name}`")),
            Err(error) => return Err(explain(&error)),
        },
    };
    let new = NewPerson { email: args.email, name: args.name, role, scope };
    let person = records.create_person(&new).await.map_err(|error| explain(&error))?;
    let code = records.make_code(CodePurpose::ResetPassword, &person.email).await;
    let code = code.map_err(|error| explain(&error))?;
    println!("{} is {}.", person.email, role.as_text());
    println!(
        "Set a password within a day: POST {public_url}/api/password/reset with email, code and new_password."
    );
    println!("{code}");
    records.db().close().await;
    Ok(exit(true))
}

/// Prints a new code, alone on the last line of standard output.
pub(super) async fn code(args: PersonCodeArgs) -> Answer {
    let (records, public_url) = open(args.settings).await?;
    let (purpose, path) = match args.purpose {
        CodeFor::Reset => (CodePurpose::ResetPassword, "/api/password/reset"),
        CodeFor::Verify => (CodePurpose::VerifyEmail, "/api/verify-email"),
    };
    let code = records.make_code(purpose, &args.email).await.map_err(|error| explain(&error))?;
    println!("Good for a day, at POST {public_url}{path}:");
    println!("{code}");
    records.db().close().await;
    Ok(exit(true))
}

async fn open(settings: Settings) -> Result<(Records, String), String> {
    let config = configure(settings)?;
    let db = open_database(&config).await?;
    db.migrate().await.map_err(|error| explain(&error))?;
    Ok((Records::new(db, cipher(&config)?), config.public_url))
}

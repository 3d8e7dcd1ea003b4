//! `sluice export` and `sluice import`: the workflows of a workspace to and from a folder.

use super::{Answer, Extra, configure, exit, files};
use crate::cli::TransferArgs;
use crate::wiring::{Installation, explain};
use sluice_engine::drive::EngineError;
use sluice_engine::store::StoreError;
use sluice_engine::testing::describe;

/// Writes every workflow of the workspace as `<name>.json`.
pub(super) async fn export(args: TransferArgs, extra: Extra) -> Answer {
    let config = configure(args.settings)?;
    let installation = Installation::open(&config, &extra).await?;
    let workspace =
        installation.records.workspace_by_name(&args.workspace).await.map_err(|error| explain(&error))?;
    std::fs::create_dir_all(&args.folder).map_err(|error| format!("{}: {error}", args.folder.display()))?;
    let mut after: Option<String> = None;
    let mut count = 0;
    loop {
        let page = installation.engine.store().list_workflows(&workspace.id, after.as_deref(), 100).await;
        let page = page.map_err(|error| explain(&error))?;
        for row in page.items {
            let text = sluice_engine::document::export_text(&row.draft)
                .map_err(|error| format!("{}: {error}", row.name))?;
            let path = args.folder.join(format!("{}.json", file_name(&row.name)));
            std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
            println!("{}", path.display());
            count += 1;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    eprintln!("{count} workflow(s) written");
    Ok(exit(true))
}

/// Reads every workflow file of the folder into drafts.
pub(super) async fn import(args: TransferArgs, extra: Extra) -> Answer {
    let config = configure(args.settings)?;
    let installation = Installation::open(&config, &extra).await?;
    let workspace =
        installation.records.workspace_by_name(&args.workspace).await.map_err(|error| explain(&error))?;
    let engine = installation.engine.calling_it("imported");
    let mut good = true;
    for path in files::find(&[args.folder])? {
        let document = match files::read(&path) {
            Ok(document) => document,
            Err(problems) => {
                problems.iter().for_each(|problem| eprintln!("{}", files::line(&path, problem)));
                good = false;
                continue;
            }
        };
        let name = document.name.clone();
        match engine.create_workflow(&workspace.id, document.clone()).await {
            Ok(row) => println!("{} {name}", row.id),
            Err(EngineError::Store(StoreError::NameTaken)) if args.replace => {
                let row = installation.engine.store().workflow_by_name(&workspace.id, &name).await;
                let row = row
                    .map_err(|error| explain(&error))?
                    .ok_or_else(|| format!("{name}: deleted meanwhile"))?;
                let saved = engine.save_draft(&workspace.id, &row.id, row.revision, document).await;
                println!("{} {name} (replaced)", saved.map_err(|error| describe(&error))?.id);
            }
            Err(error) => {
                eprintln!("{}: {}", path.display(), describe(&error));
                good = false;
            }
        }
    }
    Ok(exit(good))
}

/// A name that is safe as a file name everywhere.
fn file_name(name: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    let text: String = name.trim().to_lowercase().chars().map(safe).collect();
    if text.is_empty() { "workflow".to_owned() } else { text }
}

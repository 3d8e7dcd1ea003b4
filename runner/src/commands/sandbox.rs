//! `sluice sandbox`: only the stand-ins.

use super::{Answer, exit};
use crate::cli::SandboxArgs;
use sluice_sandbox::{Sandbox, SandboxConfig};

/// Runs the sandbox until it is told to stop.
pub(super) async fn run(args: SandboxArgs) -> Answer {
    let config = SandboxConfig {
        app_secret: args.app_secret,
        webhook_url: Some(args.webhook),
        smtp_listen: args.smtp_listen,
        ..SandboxConfig::default()
    };
    let sandbox = Sandbox::start_on(&args.listen, config).await.map_err(|error| error.to_string())?;
    println!("Graph API stand-in at {}", sandbox.base_url());
    println!(
        "Mail server at {} (what it receives: {}/_sandbox/mail)",
        sandbox.smtp_url(),
        sandbox.base_url()
    );
    super::serve::stop_signal().await;
    sandbox.stop();
    Ok(exit(true))
}

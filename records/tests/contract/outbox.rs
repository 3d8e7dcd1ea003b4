//! Mail on its way: claimed by one, tried again, sealed while it waits.

use sluice_db::Db;
use sluice_records::people::{CodePurpose, NewPerson};
use sluice_records::{Role, Scope};

use crate::ground::{Ground, START};

async fn mail_is_claimed_by_one_and_tried_again(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let records = &ground.records;
    let email = "asha@example.com";
    let new = NewPerson {
        email: email.into(),
        name: "Asha".into(),
        role: Role::Viewer,
        scope: Scope::Workspace(ground.ws().into()),
    };
    records.create_person(&new).await.unwrap();
    records.request_code(CodePurpose::ResetPassword, email, "192.0.2.1").await.unwrap();
    records.mail_waits().await;
    let sealed = db.query("select sealed from mail_outbox").one().await.unwrap().bytes(0).unwrap();
    let readable = String::from_utf8_lossy(&sealed);
    assert!(!readable.contains("asha") && !readable.contains("code"), "{readable}");

    let claims = (0..4).map(|_| {
        let records = records.clone();
        tokio::spawn(async move { records.claim_mail(10).await.unwrap() })
    });
    let mut claimed = Vec::new();
    for claim in claims.collect::<Vec<_>>() {
        claimed.extend(claim.await.unwrap());
    }
    assert_eq!((claimed.len(), claimed[0].attempts, claimed[0].letter.to.as_str()), (1, 0, email));
    // Whoever took it died: after a while it is anybody's again.
    ground.pass(120_000);
    let again = records.claim_mail(10).await.unwrap();
    assert_eq!((&again[0].id, again[0].attempts), (&claimed[0].id, 1));
    records.mail_failed(&again[0], "451 try later", false).await.unwrap();
    assert!(records.claim_mail(10).await.unwrap().is_empty(), "a pause first");
    let stuck = records.stuck_mail(10).await.unwrap();
    assert_eq!((stuck[0].attempts, stuck[0].last_error.as_deref()), (2, Some("451 try later")));
    ground.pass(20_000);
    let third = records.claim_mail(10).await.unwrap();
    records.mail_sent(&third[0].id).await.unwrap();
    ground.pass(86_400_000);
    assert!(records.claim_mail(10).await.unwrap().is_empty());

    // What is hopeless is not tried again, and what is too old neither.
    for hopeless in [true, false] {
        records.request_code(CodePurpose::ResetPassword, email, "192.0.2.1").await.unwrap();
        let mail = records.claim_mail(10).await.unwrap();
        ground.pass(if hopeless { 0 } else { 86_400_000 });
        records.mail_failed(&mail[0], "550 no such mailbox", hopeless).await.unwrap();
        ground.pass(86_400_000);
        assert!(records.claim_mail(10).await.unwrap().is_empty(), "{hopeless}");
    }
    assert_eq!(records.stuck_mail(10).await.unwrap().len(), 2);
    assert_eq!(records.purge_mail(START + 30 * 86_400_000, 100).await.unwrap(), 2);
}

sluice_db::contract_tests! {
    mail_is_claimed_by_one_and_tried_again,
}

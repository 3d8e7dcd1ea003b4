//! White label: looks that fall back to those above, and host names that belong to whoever proves them.

use crate::ground::Ground;
use sluice_db::Db;
use sluice_records::branding::{BrandChange, DomainStatus, TxtLookup};
use sluice_records::{NewWorkspace, RecordError, Records, Scope};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Mutex;

/// Name servers whose records a test sets.
#[derive(Default)]
struct Zone(Mutex<BTreeMap<String, Vec<String>>>);

impl Zone {
    fn set(&self, name: &str, texts: &[&str]) {
        self.0.lock().unwrap().insert(name.to_owned(), texts.iter().map(|text| (*text).to_owned()).collect());
    }
}

impl TxtLookup for Zone {
    fn txt<'a>(
        &'a self,
        name: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<String>, String>> + Send + 'a>> {
        let found = self.0.lock().unwrap().get(name).cloned().unwrap_or_default();
        Box::pin(async move { if found == ["broken"] { Err("timed out".to_owned()) } else { Ok(found) } })
    }
}

const PNG: &str = "data:image/png;base64,iVBORw0KGgpyZXN0";

fn named(name: &str) -> BrandChange {
    BrandChange { name: Some(name.to_owned()), ..BrandChange::default() }
}

/// A reseller, and a workspace of its own.
async fn agency(records: &Records) -> (Scope, Scope) {
    let reseller = records.create_reseller("agency", "Agency").await.unwrap();
    let wanted = NewWorkspace {
        name: "client".into(),
        reseller_id: Some(reseller.id.clone()),
        ..NewWorkspace::default()
    };
    let client = records.create_tenant(wanted).await.unwrap();
    (Scope::Reseller(reseller.id), Scope::Workspace(client.id))
}

async fn what_is_not_set_comes_from_above(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let records = &ground.records;
    let (reseller, client) = agency(records).await;
    assert_eq!(records.brand_seen(&client).await.unwrap().name, None);
    let platform = BrandChange { accent: Some("#112233".into()), logo: Some(PNG.into()), ..named("House") };
    records.update_brand(&Scope::Platform, platform).await.unwrap();
    records.update_brand(&reseller, named(" Agency ")).await.unwrap();
    let seen = records.brand_seen(&client).await.unwrap();
    assert_eq!((seen.name.as_deref(), seen.accent.as_deref()), (Some("Agency"), Some("#112233")));
    let logo = records.brand_logo(&seen.logo_hash.unwrap()).await.unwrap();
    assert_eq!(logo.media_type, "image/png");
    records.update_brand(&client, named("Client")).await.unwrap();
    assert_eq!(records.brand_seen(&client).await.unwrap().name.as_deref(), Some("Client"));
    assert_eq!(records.brand_seen(&reseller).await.unwrap().name.as_deref(), Some("Agency"));
    // Empty takes away; a picture that nobody shows goes.
    records.update_brand(&client, named("")).await.unwrap();
    assert_eq!(records.brand_seen(&client).await.unwrap().name.as_deref(), Some("Agency"));
    let bare = BrandChange { logo: Some(String::new()), ..BrandChange::default() };
    let left = records.update_brand(&Scope::Platform, bare).await.unwrap();
    assert_eq!((left.name.as_deref(), left.logo_hash), (Some("House"), None));
    assert!(matches!(records.brand_logo(&logo.hash).await, Err(RecordError::NotFound { .. })));
}

async fn what_is_no_brand_is_refused_with_its_place(db: Db) {
    let ground = Ground::bare(db).await;
    let with = |change: fn(&mut BrandChange)| {
        let mut wanted = named("Fine");
        change(&mut wanted);
        wanted
    };
    for (path, wanted) in [
        ("name", with(|it| it.name = Some("n".repeat(61)))),
        ("accent", with(|it| it.accent = Some("red".into()))),
        ("accent_dark", with(|it| it.accent_dark = Some("#12345g".into()))),
        ("support_email", with(|it| it.support_email = Some("nobody".into()))),
        ("logo", with(|it| it.logo = Some("data:image/svg+xml;base64,PHN2Zz4=".into()))),
    ] {
        let refused = ground.records.update_brand(&Scope::Platform, wanted).await;
        assert!(matches!(&refused, Err(RecordError::Invalid { path: at, .. }) if at == path), "{refused:?}");
    }
    assert_eq!(ground.records.brand(&Scope::Platform).await.unwrap().name, None, "nothing was written");
}

async fn a_name_belongs_to_whoever_proves_it(db: Db) {
    let ground = Ground::bare(db).await;
    let (records, zone) = (&ground.records, Zone::default());
    let (reseller, client) = agency(records).await;
    records.update_brand(&reseller, named("Agency")).await.unwrap();
    records.update_brand(&client, named("Client")).await.unwrap();
    let host = "chat.example.com";
    let name_there = async || records.brand_of_host(host).await.unwrap().name;
    let ours = records.add_domain(&reseller, " Chat.Example.com").await.unwrap();
    assert_eq!((ours.host.as_str(), ours.record_name.as_str()), (host, "_sluice.chat.example.com"));
    assert_eq!(records.add_domain(&reseller, host).await.unwrap(), ours, "claiming again changes nothing");
    let theirs = records.add_domain(&client, host).await.unwrap();
    assert_ne!(ours.record_value, theirs.record_value);

    // Before it is proved nothing is shown, and the claim says what is missing.
    let seen = records.verify_domain(&reseller, host, &zone).await.unwrap();
    assert_eq!((seen.status, name_there().await), (DomainStatus::Pending, None));
    assert!(seen.problem.unwrap().contains("no TXT record at _sluice.chat.example.com"));
    zone.set(&ours.record_name, &["v=spf1 -all", "sluice-domain=guess"]);
    let seen = records.verify_domain(&reseller, host, &zone).await.unwrap();
    assert!(seen.problem.unwrap().contains("something else"));
    zone.set(&ours.record_name, &["v=spf1 -all", &ours.record_value]);
    let seen = records.verify_domain(&reseller, host, &zone).await.unwrap();
    assert_eq!((seen.status, seen.problem), (DomainStatus::Verified, None));
    assert_eq!(name_there().await.as_deref(), Some("Agency"));
    assert_eq!(records.brand_of_host("CHAT.example.com").await.unwrap().name.as_deref(), Some("Agency"));
    assert_eq!(records.brand_of_host("other.example.com").await.unwrap().name, None);

    // Name servers that are out of order take nothing away.
    zone.set(&ours.record_name, &["broken"]);
    let seen = records.verify_domain(&reseller, host, &zone).await.unwrap();
    assert_eq!(seen.status, DomainStatus::Verified);
    assert!(seen.problem.unwrap().contains("timed out"));
    // Two proofs: the first holds. One proof: the name has changed hands.
    zone.set(&ours.record_name, &[&ours.record_value, &theirs.record_value]);
    let refused = records.verify_domain(&client, host, &zone).await;
    assert!(matches!(refused, Err(RecordError::Conflict { .. })), "{refused:?}");
    zone.set(&ours.record_name, &[&theirs.record_value]);
    assert_eq!(records.verify_domain(&client, host, &zone).await.unwrap().status, DomainStatus::Verified);
    assert_eq!(name_there().await.as_deref(), Some("Client"));
    let lost = records.domain(&reseller, host).await.unwrap();
    assert_eq!((lost.status, lost.problem.is_some()), (DomainStatus::Pending, true));

    records.remove_domain(&client, host).await.unwrap();
    assert_eq!(name_there().await, None);
    assert!(matches!(records.remove_domain(&client, host).await, Err(RecordError::NotFound { .. })));
    assert!(matches!(records.verify_domain(&client, host, &zone).await, Err(RecordError::NotFound { .. })));
    assert!(matches!(
        records.add_domain(&client, "https://x.example").await,
        Err(RecordError::Invalid { .. })
    ));
}

async fn a_scope_has_a_bounded_number_of_names(db: Db) {
    let ground = Ground::bare(db).await;
    for number in 0..20 {
        ground.records.add_domain(&Scope::Platform, &format!("n{number}.example.com")).await.unwrap();
    }
    let one_more = ground.records.add_domain(&Scope::Platform, "more.example.com").await;
    assert!(matches!(one_more, Err(RecordError::Conflict { .. })), "{one_more:?}");
    assert_eq!(ground.records.list_domains(&Scope::Platform).await.unwrap().len(), 20);
}

sluice_db::contract_tests! {
    what_is_not_set_comes_from_above,
    what_is_no_brand_is_refused_with_its_place,
    a_name_belongs_to_whoever_proves_it,
    a_scope_has_a_bounded_number_of_names,
}

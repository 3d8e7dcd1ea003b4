//! Accounts: signing up, codes, approval, passwords, identities of other providers.

use sluice_db::Db;
use sluice_records::people::{
    Admission, CodePurpose, Device, NewPerson, OidcClaims, PersonChange, SignIn, SignUp, Verdict,
};
use sluice_records::{Person, PersonStatus, RecordError, Records, Role, Scope};

use crate::ground::Ground;

pub(crate) const PASSWORD: &str = "correct horse";
const HERE: &str = "192.0.2.1";
/// Wrong codes that an account bears in an hour.
const WRONG_CODES: i64 = 15;
/// Failed sign-ins that an account, and an address, bears in a quarter of an hour.
const SIGN_INS: i64 = 10;
const SIGN_INS_FROM_HERE: i64 = 50;

pub(crate) fn device() -> Device {
    Device { address: Some(HERE.into()), user_agent: Some("test".into()) }
}

pub(crate) fn wish(email: &str) -> SignUp {
    SignUp {
        name: "Asha Rao".into(),
        email: email.into(),
        phone: "+91 98765 43210".into(),
        business_name: "Asha Foods".into(),
        industry: "Food".into(),
        password: PASSWORD.into(),
    }
}

/// Every message that waits, taken from the outbox; then it is empty.
pub(crate) async fn mail(records: &Records) -> Vec<sluice_records::Letter> {
    let mut letters = Vec::new();
    for mail in records.claim_mail(100).await.unwrap() {
        records.mail_sent(&mail.id).await.unwrap();
        letters.push(mail.letter);
    }
    letters
}

/// The code in the newest message to an address.
pub(crate) async fn code(records: &Records, email: &str) -> String {
    let letters = mail(records).await;
    let letter = letters.iter().rfind(|letter| letter.to == email && letter.text.contains("code is"));
    let text = &letter.unwrap_or_else(|| panic!("no code for {email} in {letters:?}")).text;
    text.split("code is ").nth(1).unwrap().chars().take(6).collect()
}

/// A person who signed up and may sign in.
pub(crate) async fn member(records: &Records, email: &str) -> Person {
    records.sign_up(&wish(email), HERE).await.unwrap();
    let code = code(records, email).await;
    records.verify_email(email, &code, HERE, Admission::Open).await.unwrap()
}

fn refused<T: std::fmt::Debug>(result: Result<T, RecordError>) {
    assert!(matches!(result, Err(RecordError::CodeRefused)), "{result:?}");
}

async fn a_code_proves_an_address_once(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let records = &ground.records;
    records.sign_up(&wish(" Asha@Example.com "), HERE).await.unwrap();
    let person = records.person_by_email("ASHA@example.com").await.unwrap();
    assert_eq!(
        (person.status, person.phone.as_deref()),
        (PersonStatus::PendingVerification, Some("+919876543210"))
    );
    assert!(records.memberships_of(&person.id).await.unwrap().is_empty());
    let code = code(records, "asha@example.com").await;
    assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()), "{code}");
    let stored = db.query("select code_hash from sign_in_codes").one().await.unwrap().text(0).unwrap();
    assert!(!stored.contains(&code));
    let verify =
        async |email: &str, code: &str| records.verify_email(email, code, HERE, Admission::Open).await;
    refused(verify("beena@example.com", &code).await);
    refused(verify("no address", &code).await);
    // As people type it.
    let spaced = format!(" {} {} ", &code[..3], &code[3..]);
    let person = verify("asha@example.com", &spaced).await.unwrap();
    assert_eq!((person.status, person.verified_at), (PersonStatus::Approved, Some(crate::ground::START)));
    refused(verify("asha@example.com", &code).await);
    let own = records.workspaces_of(&person.id).await.unwrap();
    assert_eq!(
        (own[0].0.name.as_str(), own[0].1, own.len()),
        ("asha-foods-2", Role::Owner, 1),
        "the name was taken"
    );
    assert_eq!(own[0].0.display_name, "Asha Foods");
    let third = member(records, "third@example.com").await;
    assert_eq!(records.workspaces_of(&third.id).await.unwrap()[0].0.name, "asha-foods-3");
}

async fn a_code_is_good_for_five_tries_and_fifteen_minutes(db: Db) {
    let ground = Ground::bare(db).await;
    let records = &ground.records;
    let email = "asha@example.com";
    let verify = async |code: &str| records.verify_email(email, code, HERE, Admission::Open).await;
    records.sign_up(&wish(email), HERE).await.unwrap();
    let first = code(records, email).await;
    let wrong = if first == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        refused(verify(wrong).await);
    }
    refused(verify(&first).await);
    records.request_code(CodePurpose::VerifyEmail, email, HERE).await.unwrap();
    let second = code(records, email).await;
    if first != second {
        refused(verify(&first).await);
    }
    ground.pass(15 * 60_000);
    refused(verify(&second).await);
    records.request_code(CodePurpose::VerifyEmail, email, HERE).await.unwrap();
    let third = code(records, email).await;
    let again = records.request_code(CodePurpose::VerifyEmail, email, HERE).await;
    assert!(
        matches!(again, Err(RecordError::Throttled(ref decision)) if decision.retry_after_seconds > 60),
        "{again:?}"
    );
    verify(&third).await.unwrap();
}

/// However many guess at once, a code is looked at five times, and an account fifteen times an hour.
async fn thousands_of_guesses_never_pass(db: Db) {
    let ground = Ground::bare(db.clone()).await;
    let records = &ground.records;
    let email = "asha@example.com";
    records.sign_up(&wish(email), HERE).await.unwrap();
    let right = code(records, email).await;
    let number: u32 = right.parse().unwrap();
    let guesses = (0..2_000).map(|n| {
        let records = records.clone();
        // The right one comes last of all.
        let guess = format!("{:06}", (number + 1 + n) % 1_000_000);
        let from = format!("198.51.100.{}", n % 250);
        tokio::spawn(async move { records.verify_email(email, &guess, &from, Admission::Open).await })
    });
    let (mut wrong, mut throttled) = (0, 0);
    for guess in guesses.collect::<Vec<_>>() {
        match guess.await.unwrap() {
            Err(RecordError::CodeRefused) => wrong += 1,
            Err(RecordError::Throttled(_)) => throttled += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((wrong, throttled), (WRONG_CODES, 2_000 - WRONG_CODES));
    let attempts = db.query("select attempts from sign_in_codes").one().await.unwrap().int(0).unwrap();
    assert_eq!(attempts, 5);
    let late = records.verify_email(email, &right, HERE, Admission::Open).await;
    assert!(matches!(late, Err(RecordError::Throttled(_))), "{late:?}");
    ground.pass(2 * 3_600_000);
    refused(records.verify_email(email, &right, HERE, Admission::Open).await);
}

async fn nobody_learns_who_has_an_account(db: Db) {
    let ground = Ground::bare(db).await;
    let records = &ground.records;
    let person = member(records, "asha@example.com").await;
    let before = records.person(&person.id).await.unwrap();
    let attack =
        SignUp { password: "another one".into(), name: "Mallory".into(), ..wish("asha@example.com") };
    records.sign_up(&attack, HERE).await.unwrap();
    assert_eq!(records.person(&person.id).await.unwrap(), before, "nothing was changed");
    let letters = mail(records).await;
    assert_eq!((letters.len(), letters[0].to.as_str()), (1, "asha@example.com"));
    assert!(!letters[0].text.contains("Mallory"), "what strangers write is not sent on");
    for email in ["asha@example.com", "nobody@example.com"] {
        records.request_code(CodePurpose::VerifyEmail, email, HERE).await.unwrap();
    }
    records.request_code(CodePurpose::ResetPassword, "nobody@example.com", HERE).await.unwrap();
    assert!(mail(records).await.is_empty(), "no code that is of no use");
    refused(records.check_code(CodePurpose::ResetPassword, "nobody@example.com", "123456", HERE).await);
}

/// Somebody signs up with a foreign address before or after its owner does: their password must not open the account.
async fn a_contested_sign_up_has_no_password(db: Db) {
    let ground = Ground::bare(db).await;
    let records = &ground.records;
    let email = "asha@example.com";
    let attack = SignUp { password: "the attacker's".into(), ..wish(email) };
    records.sign_up(&attack, HERE).await.unwrap();
    records.sign_up(&wish(email), HERE).await.unwrap();
    let code = code(records, email).await;
    records.verify_email(email, &code, HERE, Admission::Open).await.unwrap();
    for password in [PASSWORD, "the attacker's", "!"] {
        assert_eq!(records.sign_in(email, password, &device()).await.unwrap(), SignIn::Refused, "{password}");
    }
    records.request_code(CodePurpose::ResetPassword, email, HERE).await.unwrap();
    let code = self::code(records, email).await;
    records.reset_password(email, &code, PASSWORD, HERE).await.unwrap();
    assert!(matches!(records.sign_in(email, PASSWORD, &device()).await.unwrap(), SignIn::In(_)));

    // Whoever repeats their own sign-up keeps their password, and after a while it is a new sign-up.
    let other = "beena@example.com";
    records.sign_up(&wish(other), HERE).await.unwrap();
    records.sign_up(&wish(other), HERE).await.unwrap();
    ground.pass(15 * 60_000);
    records.sign_up(&SignUp { password: "a later one".into(), ..wish(other) }, HERE).await.unwrap();
    let code = self::code(records, other).await;
    records.verify_email(other, &code, HERE, Admission::Open).await.unwrap();
    assert!(matches!(records.sign_in(other, "a later one", &device()).await.unwrap(), SignIn::In(_)));
}

async fn approval_is_decided_once_and_told(db: Db) {
    let ground = Ground::bare(db).await;
    let records = &ground.records;
    let boss = NewPerson {
        email: "boss@example.com".into(),
        name: String::new(),
        role: Role::PlatformAdmin,
        scope: Scope::Platform,
    };
    records.create_person(&boss).await.unwrap();
    let emails = ["team@example.com".to_owned()];
    let link = |id: &str| Some(format!("https://sluice.test/sign-ups/{id}"));
    let under_review = async |email: &str| {
        records.sign_up(&wish(email), HERE).await.unwrap();
        let code = code(records, email).await;
        let admission = Admission::Review { emails: &emails, link: &link };
        records.verify_email(email, &code, HERE, admission).await.unwrap()
    };
    let asha = under_review("asha@example.com").await;
    assert_eq!(asha.status, PersonStatus::UnderReview);
    let letters = mail(records).await;
    let told: Vec<_> = letters.iter().map(|letter| letter.to.as_str()).collect();
    assert_eq!(told, ["boss@example.com", "team@example.com"]);
    assert!(letters[0].text.contains(&link(&asha.id).unwrap()) && letters[0].text.contains("Asha Foods"));
    let SignIn::NotApproved(found) = records.sign_in("asha@example.com", PASSWORD, &device()).await.unwrap()
    else {
        panic!("not approved yet");
    };
    assert_eq!(found.status, PersonStatus::UnderReview);
    assert_eq!(records.sign_in("asha@example.com", "wrong one", &device()).await.unwrap(), SignIn::Refused);
    let approved = records.decide_sign_up(&asha.id, Verdict::Approve, None).await.unwrap();
    assert_eq!(approved.status, PersonStatus::Approved);
    assert_eq!(records.memberships_of(&asha.id).await.unwrap().len(), 1);
    assert_eq!(mail(records).await[0].to, "asha@example.com");
    for verdict in [Verdict::Approve, Verdict::Reject] {
        let again = records.decide_sign_up(&asha.id, verdict, Some("no")).await;
        assert!(matches!(again, Err(RecordError::Conflict { .. })), "{again:?}");
    }

    let beena = under_review("beena@example.com").await;
    mail(records).await;
    let bare = records.decide_person(&beena.id, Verdict::Reject, Some(" ")).await;
    assert!(matches!(bare, Err(RecordError::Invalid { ref path, .. }) if path == "reason"), "{bare:?}");
    let rejected = records.decide_person(&beena.id, Verdict::Reject, Some("no business")).await.unwrap();
    assert_eq!(
        (rejected.status, rejected.status_reason.as_deref()),
        (PersonStatus::Rejected, Some("no business"))
    );
    assert!(mail(records).await[0].text.contains("no business"));
    assert!(records.memberships_of(&beena.id).await.unwrap().is_empty());
    // Through a link it is final; those who run the platform may think again.
    assert!(records.decide_sign_up(&beena.id, Verdict::Approve, None).await.is_err());
    records.decide_person(&beena.id, Verdict::Approve, None).await.unwrap();
    assert_eq!(records.list_people(Some(PersonStatus::Approved), None, 10).await.unwrap().items.len(), 3);
    let page = records.list_people(None, None, 2).await.unwrap();
    let rest = records.list_people(None, page.next.as_deref(), 2).await.unwrap();
    assert_eq!((page.items.len(), rest.items.len(), rest.next), (2, 1, None));
    assert!(records.decide_person("per_none", Verdict::Approve, None).await.is_err());
}

async fn guessing_a_password_ends_in_a_pause(db: Db) {
    let ground = Ground::bare(db).await;
    let records = &ground.records;
    let email = "asha@example.com";
    member(records, email).await;
    for round in 0..2 {
        for n in 0..SIGN_INS {
            let from = Device { address: Some(format!("198.51.100.{n}")), user_agent: None };
            let guess = records.sign_in(email, &format!("guess {n}"), &from).await.unwrap();
            assert_eq!(guess, SignIn::Refused, "round {round}, guess {n}");
        }
        // Even the right password does not help now, so a guesser learns nothing.
        let late = records.sign_in(email, PASSWORD, &device()).await;
        assert!(matches!(late, Err(RecordError::Throttled(_))), "{late:?}");
        ground.pass(1_000_000);
    }
    // One address that goes from account to account.
    for n in 0..SIGN_INS_FROM_HERE {
        let guess = records.sign_in(&format!("nobody{n}@example.com"), "guess", &device()).await.unwrap();
        assert_eq!(guess, SignIn::Refused);
    }
    let late = records.sign_in("nobody@example.com", PASSWORD, &device()).await;
    assert!(matches!(late, Err(RecordError::Throttled(_))), "{late:?}");
    // Who signs in rightly from elsewhere is not hindered, however often.
    let elsewhere = Device { address: Some("203.0.113.9".into()), user_agent: None };
    for _ in 0..SIGN_INS + 2 {
        assert!(matches!(records.sign_in(email, PASSWORD, &elsewhere).await.unwrap(), SignIn::In(_)));
    }
}

async fn a_reset_ends_all_sessions(db: Db) {
    let ground = Ground::bare(db).await;
    let records = &ground.records;
    let email = "asha@example.com";
    let person = member(records, email).await;
    let SignIn::In(session) = records.sign_in(email, PASSWORD, &device()).await.unwrap() else {
        panic!("signs in");
    };
    records.request_code(CodePurpose::ResetPassword, email, HERE).await.unwrap();
    let code = code(records, email).await;
    let weak = records.reset_password(email, &code, "password", HERE).await;
    assert!(matches!(weak, Err(RecordError::Invalid { ref path, .. }) if path == "new_password"), "{weak:?}");
    records.check_code(CodePurpose::ResetPassword, email, &code, HERE).await.unwrap();
    refused(records.verify_email(email, &code, HERE, Admission::Open).await);
    records.reset_password(email, &code, "a new password", HERE).await.unwrap();
    refused(records.reset_password(email, &code, "one more password", HERE).await);
    assert_eq!(records.refresh_session(&session.refresh_token, &device()).await.unwrap(), None);
    assert!(records.standing(&session.session.id, person.token_version).await.unwrap().is_none());
    assert!(records.list_sessions(&person.id).await.unwrap().is_empty());
    assert_eq!(records.sign_in(email, PASSWORD, &device()).await.unwrap(), SignIn::Refused);
    assert!(matches!(records.sign_in(email, "a new password", &device()).await.unwrap(), SignIn::In(_)));
    assert!(mail(records).await.iter().any(|letter| letter.subject.contains("was changed")));
    for _ in 0..2 {
        records.request_code(CodePurpose::ResetPassword, email, HERE).await.unwrap();
    }
    assert!(records.request_code(CodePurpose::ResetPassword, email, HERE).await.is_err(), "three an hour");
}

async fn an_operator_makes_people(db: Db) {
    let ground = Ground::bare(db).await;
    let records = &ground.records;
    let new = |role, scope| NewPerson { email: "Boss@example.com".into(), name: "Boss".into(), role, scope };
    let boss = records.create_person(&new(Role::SuperAdmin, Scope::Platform)).await.unwrap();
    let same = records.create_person(&new(Role::Viewer, Scope::Workspace(ground.ws().into()))).await.unwrap();
    assert_eq!(boss, same);
    assert_eq!(records.platform_role(&boss.id).await.unwrap(), Some(Role::SuperAdmin));
    assert!(records.create_person(&new(Role::Owner, Scope::Platform)).await.is_err(), "no such role there");
    assert!(records.create_person(&new(Role::Owner, Scope::Workspace("ws_none".into()))).await.is_err());
    let code = records.make_code(CodePurpose::ResetPassword, "boss@example.com").await.unwrap();
    assert!(mail(records).await.is_empty(), "it is handed over, not sent");
    ground.pass(23 * 3_600_000);
    records.reset_password("boss@example.com", &code.to_lowercase(), PASSWORD, HERE).await.unwrap();
    assert!(matches!(records.sign_in("boss@example.com", PASSWORD, &device()).await.unwrap(), SignIn::In(_)));
    assert!(records.make_code(CodePurpose::VerifyEmail, "boss@example.com").await.is_err(), "of no use");
    assert!(records.make_code(CodePurpose::ResetPassword, "none@example.com").await.is_err());

    // A sign-up that nobody proved does not keep its password when an operator makes the person.
    records.sign_up(&wish("asha@example.com"), HERE).await.unwrap();
    let asha = NewPerson {
        email: "asha@example.com".into(),
        ..new(Role::Agent, Scope::Workspace(ground.ws().into()))
    };
    let asha = records.create_person(&asha).await.unwrap();
    assert_eq!(asha.status, PersonStatus::Approved);
    assert_eq!(records.sign_in("asha@example.com", PASSWORD, &device()).await.unwrap(), SignIn::Refused);
    let change =
        PersonChange { name: Some("Asha R.".into()), phone: Some(String::new()), ..Default::default() };
    let changed = records.update_person(&asha.id, &change).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.phone), ("Asha R.", None));
    let empty = PersonChange { name: Some(" ".into()), ..Default::default() };
    assert!(records.update_person(&asha.id, &empty).await.is_err());
}

async fn a_provider_vouches_for_a_person(db: Db) {
    let ground = Ground::bare(db).await;
    let records = &ground.records;
    let claims = |subject: &str, email: Option<&str>, email_verified| OidcClaims {
        issuer: "https://id.example.com".into(),
        subject: subject.into(),
        email: email.map(Into::into),
        email_verified,
        name: Some("Asha".into()),
    };
    let enter = async |claims: &OidcClaims, admission| {
        records.sign_in_as(claims, &device(), admission).await.unwrap()
    };
    let open = Some(Admission::Open);
    let owner = member(records, "asha@example.com").await;
    // An address that the provider does not vouch for opens nothing and makes nothing.
    for unproven in [claims("1", Some("asha@example.com"), false), claims("1", None, true)] {
        assert_eq!(enter(&unproven, open).await, SignIn::Refused);
    }
    let SignIn::In(session) = enter(&claims("1", Some("ASHA@example.com"), true), None).await else {
        panic!("joined by the proven address");
    };
    assert_eq!((session.person.id.as_str(), session.session.method.as_str()), (owner.id.as_str(), "oidc"));
    // From now on the identity counts, whatever address it has.
    let SignIn::In(again) = enter(&claims("1", Some("else@example.com"), false), None).await else {
        panic!("known");
    };
    assert_eq!(again.person.id, owner.id);
    // Who is not known gets an account only where sign-up is open.
    let stranger = claims("2", Some("beena@example.com"), true);
    assert_eq!(enter(&stranger, None).await, SignIn::Refused);
    let SignIn::In(beena) = enter(&stranger, open).await else { panic!("open") };
    assert!(beena.session.workspace_id.is_some());
    // An unproven sign-up with this address keeps no password of a stranger.
    records.sign_up(&wish("chitra@example.com"), HERE).await.unwrap();
    assert!(matches!(enter(&claims("3", Some("chitra@example.com"), true), open).await, SignIn::In(_)));
    assert_eq!(records.sign_in("chitra@example.com", PASSWORD, &device()).await.unwrap(), SignIn::Refused);
    records.decide_person(&beena.person.id, Verdict::Suspend, Some("abuse")).await.unwrap();
    assert!(matches!(enter(&stranger, open).await, SignIn::NotApproved(_)));

    let attempt = records.begin_oidc("/inbox", &device()).await.unwrap();
    assert!(records.finish_oidc(&attempt.state, "another browser").await.unwrap().is_none());
    assert!(records.finish_oidc(&attempt.state, &attempt.browser).await.unwrap().is_none(), "used up");
    let attempt = records.begin_oidc("/inbox", &device()).await.unwrap();
    let found = records.finish_oidc(&attempt.state, &attempt.browser).await.unwrap().unwrap();
    assert_eq!(
        (found.return_to.as_str(), &found.nonce, &found.verifier),
        ("/inbox", &attempt.nonce, &attempt.verifier)
    );
    let late = records.begin_oidc("/", &device()).await.unwrap();
    ground.pass(10 * 60_000);
    assert!(records.finish_oidc(&late.state, &late.browser).await.unwrap().is_none());
}

sluice_db::contract_tests! {
    a_code_proves_an_address_once,
    a_code_is_good_for_five_tries_and_fifteen_minutes,
    thousands_of_guesses_never_pass,
    nobody_learns_who_has_an_account,
    a_contested_sign_up_has_no_password,
    approval_is_decided_once_and_told,
    guessing_a_password_ends_in_a_pause,
    a_reset_ends_all_sessions,
    an_operator_makes_people,
    a_provider_vouches_for_a_person,
}

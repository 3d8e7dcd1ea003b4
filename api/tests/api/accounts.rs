//! Accounts from outside: signing up, approval, signing in, cookies and tokens, forged requests, guessing.

use crate::ground::{Ground, greeting};
use crate::people::{Browser, PASSWORD, code, letters, post, send, sign_up, tokens, wish};
use serde_json::{Value, json};
use sluice_api::SignUpMode;
use sluice_db::Db;
use sluice_records::people::NewPerson;
use sluice_records::{Role, Scope};

const ASHA: &str = "asha@example.com";

async fn somebody_signs_up_and_works(db: Db) {
    let ground = Ground::new(db).await;
    let options = send(&ground, "GET", "/api/sign-in-options", Value::Null, &[]).await.expect(200).json();
    assert_eq!(options, json!({ "sign_up": "open", "mail": true, "oidc": null }));
    let said = post(&ground, "/api/signup", wish("Asha@Example.com")).await.expect(201);
    assert_eq!(said.json()["success"], true);
    let login = json!({ "email": ASHA, "password": PASSWORD });
    let early = post(&ground, "/api/login", login.clone()).await.fails(403, "not_approved");
    assert_eq!(early["details"]["status"], "pending_verification");
    let code = code(&ground, ASHA).await;
    post(&ground, "/api/verify-email", json!({ "email": ASHA, "code": "12345" }))
        .await
        .fails(400, "code_refused");
    let proven =
        post(&ground, "/api/verify-email", json!({ "email": ASHA, "code": code })).await.expect(200).json();
    assert_eq!(proven["status"], "approved");
    let again = json!({ "email": ASHA, "code": code });
    post(&ground, "/api/verify-email", again).await.fails(400, "code_refused");

    let view = post(&ground, "/api/login", login).await.expect(200).json();
    assert_eq!((&view["user"]["email"], &view["user"]["status"]), (&json!(ASHA), &json!("approved")));
    assert_eq!(
        (&view["workspaces"][0]["name"], &view["workspaces"][0]["role"]),
        (&json!("rao-foods"), &json!("owner"))
    );
    assert!(view.get("tokens").is_none() && view["user"].get("password_hash").is_none(), "{view}");
    let (access, _) = tokens(&ground, ASHA).await;
    let me = ground.call_as(&access, "GET", "/api/me", Value::Null).await.expect(200).json();
    assert_eq!(me["workspace"], view["workspaces"][0]["id"]);
    assert!(me["permissions"].as_array().unwrap().contains(&json!("workspace:delete")));
    let made = ground.call_as(&access, "POST", "/api/workflows", greeting()).await.expect(201).json();
    let path = format!("/api/workflows/{}", made["id"].as_str().unwrap());
    ground.get(&path).await.fails(404, "not_found");
    let change = json!({ "name": "Asha R.", "phone": "" });
    let changed = ground.call_as(&access, "PUT", "/api/me", change).await.expect(200).json();
    assert_eq!((&changed["name"], &changed["phone"]), (&json!("Asha R."), &Value::Null));
    ground
        .call_as(&access, "PUT", "/api/me", json!({ "status": "approved" }))
        .await
        .fails(422, "invalid_body");
    ground.call_as(&ground.key, "GET", "/api/me", Value::Null).await.fails(403, "forbidden");
    for (field, value) in [("email", "nobody"), ("password", "short"), ("name", " "), ("phone", "call me")] {
        let mut bad = wish("new@example.com");
        bad[field] = json!(value);
        let refused = post(&ground, "/api/signup", bad).await.fails(422, "invalid_value");
        assert_eq!(refused["details"]["path"], format!("/{field}"));
    }
}

async fn answers_do_not_tell_who_has_an_account(db: Db) {
    let ground = Ground::new(db).await;
    sign_up(&ground, ASHA).await;
    let mut answers = Vec::new();
    for email in [ASHA, "nobody@example.com"] {
        let all = [
            post(&ground, "/api/signup", wish(email)).await.expect(201),
            post(&ground, "/api/resend-code", json!({ "email": email })).await.expect(200),
            post(&ground, "/api/password/forgot", json!({ "email": email })).await.expect(200),
            send(&ground, "GET", &format!("/api/status?email={email}"), Value::Null, &[]).await.expect(200),
        ];
        let mut texts: Vec<_> = all.iter().map(|answer| answer.text()).collect();
        for path in ["/api/verify-email", "/api/password/forgot/validate"] {
            let body = json!({ "email": email, "code": "000000x" });
            let refused = post(&ground, path, body).await.fails(400, "code_refused");
            texts.push(refused["message"].to_string());
        }
        let login = json!({ "email": email, "password": "not the one" });
        texts.push(
            post(&ground, "/api/login", login).await.fails(401, "invalid_credentials")["message"].to_string(),
        );
        answers.push(texts);
    }
    assert_eq!(answers[0], answers[1]);
}

async fn without_mail_nobody_signs_up_and_the_error_says_what_to_set(db: Db) {
    let ground = Ground::with(db, |config| config.accounts.sends_mail = false).await;
    for (path, body) in [
        ("/api/signup", wish(ASHA)),
        ("/api/resend-code", json!({ "email": ASHA })),
        ("/api/password/forgot", json!({ "email": ASHA })),
    ] {
        let refused = post(&ground, path, body).await.fails(503, "mail_not_configured");
        assert!(refused["message"].as_str().unwrap().contains("SLUICE_SMTP_URL"));
    }
}

async fn a_closed_installation_takes_no_sign_ups(db: Db) {
    let ground = Ground::with(db, |config| config.accounts.sign_up = SignUpMode::Closed).await;
    post(&ground, "/api/signup", wish(ASHA)).await.fails(403, "sign_up_closed");
}

async fn approval_goes_through_a_link_that_works_once(db: Db) {
    let ground = Ground::with(db, |config| {
        config.accounts.sign_up = SignUpMode::Review;
        config.accounts.reviewers = vec!["team@example.com".into()];
    })
    .await;
    let link_for = async |email: &str| {
        let proven = sign_up(&ground, email).await;
        assert_eq!(proven.json()["status"], "under_review");
        let letters = letters(&ground).await;
        let text = &letters.iter().find(|letter| letter.to == "team@example.com").unwrap().text;
        let link = text.split_whitespace().find(|word| word.starts_with("https://sluice.test/")).unwrap();
        (proven, link.trim_start_matches("https://sluice.test").to_owned())
    };
    let (proven, link) = link_for(ASHA).await;
    let login = json!({ "email": ASHA, "password": PASSWORD });
    let blocked = post(&ground, "/api/login", login.clone()).await.fails(403, "not_approved");
    assert_eq!(blocked["details"]["status"], "under_review");
    let status_token = proven.json()["status_token"].as_str().unwrap().to_owned();
    let status = async |token: &str| {
        let path = format!("/api/status?email={ASHA}&token={token}");
        send(&ground, "GET", &path, Value::Null, &[]).await.expect(200).json()["status"].clone()
    };
    assert_eq!(
        (status(&status_token).await, status("x.y").await),
        (json!("under_review"), json!("pending_verification"))
    );
    // Programs that look at links decide nothing, however often.
    for _ in 0..2 {
        let page = send(&ground, "GET", &link, Value::Null, &[]).await.expect(200);
        assert!(page.text().contains("Rao Foods") && page.header("content-type").starts_with("text/html"));
    }
    assert_eq!(status(&status_token).await, "under_review");
    post(&ground, &link, json!({ "decision": "approve" })).await.expect(200);
    post(&ground, &link, json!({ "decision": "reject", "note": "no" })).await.expect(409);
    send(&ground, "GET", &link, Value::Null, &[]).await.expect(409);
    assert_eq!(status(&status_token).await, "approved");
    post(&ground, "/api/login", login).await.expect(200);

    let (_, link) = link_for("beena@example.com").await;
    post(&ground, &link, json!({ "decision": "reject" })).await.expect(422);
    post(&ground, &link, json!({ "decision": "reject", "note": "no business" })).await.expect(200);
    let login = json!({ "email": "beena@example.com", "password": PASSWORD });
    let rejected = post(&ground, "/api/login", login).await.fails(403, "not_approved");
    assert_eq!(rejected["details"], json!({ "status": "rejected", "reason": "no business" }));
    for bad in ["/sign-ups/x", &link[..link.len() - 2]] {
        send(&ground, "GET", bad, Value::Null, &[]).await.expect(404);
        post(&ground, bad, json!({ "decision": "approve" })).await.expect(404);
    }
    // A token of one kind is none of another.
    let other = format!("/sign-ups/{status_token}");
    post(&ground, &other, json!({ "decision": "approve" })).await.expect(404);
}

async fn those_who_run_the_platform_decide_about_people(db: Db) {
    let ground = Ground::with(db, |config| config.accounts.sign_up = SignUpMode::Review).await;
    sign_up(&ground, ASHA).await;
    let platform = async |method: &str, path: &str, body: Value| {
        ground.call_as(&ground.platform_key, method, path, body).await
    };
    let waiting = platform("GET", "/api/people?status=under_review", Value::Null).await.expect(200).json();
    let id = waiting["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(waiting["items"].as_array().unwrap().len(), 1);
    ground.get("/api/people").await.fails(403, "forbidden");
    ground.post(&format!("/api/people/{id}/approve"), Value::Null).await.fails(403, "forbidden");
    platform("POST", &format!("/api/people/{id}/reject"), Value::Null).await.fails(422, "invalid_value");
    platform("POST", "/api/people/per_none/approve", Value::Null).await.fails(404, "not_found");
    platform("POST", &format!("/api/people/{id}/approve"), Value::Null).await.expect(200);
    platform("POST", &format!("/api/people/{id}/approve"), Value::Null).await.fails(409, "conflict");
    let (access, refresh) = tokens(&ground, ASHA).await;
    ground.call_as(&access, "GET", "/api/me", Value::Null).await.expect(200);
    ground.call_as(&access, "GET", "/api/people", Value::Null).await.fails(403, "forbidden");
    let why = json!({ "reason": "abuse" });
    platform("POST", &format!("/api/people/{id}/suspend"), why.clone()).await.expect(200);
    ground.call_as(&access, "GET", "/api/me", Value::Null).await.fails(401, "unauthenticated");
    post(&ground, "/api/refresh", json!({ "refresh_token": refresh })).await.fails(401, "unauthenticated");
    let person = platform("GET", &format!("/api/people/{id}"), Value::Null).await.expect(200).json();
    assert_eq!((&person["status"], &person["status_reason"]), (&json!("suspended"), &json!("abuse")));

    // A platform administrator does not shut out a super admin.
    let make = async |email: &str, role| {
        let new = NewPerson { email: email.into(), name: String::new(), role, scope: Scope::Platform };
        let person = ground.records.create_person(&new).await.unwrap();
        let code = ground
            .records
            .make_code(sluice_records::people::CodePurpose::ResetPassword, email)
            .await
            .unwrap();
        let reset = json!({ "email": email, "code": code, "new_password": PASSWORD });
        post(&ground, "/api/password/reset", reset).await.expect(200);
        person.id
    };
    let root = make("root@example.com", Role::SuperAdmin).await;
    make("admin@example.com", Role::PlatformAdmin).await;
    let (admin, _) = tokens(&ground, "admin@example.com").await;
    let path = format!("/api/people/{root}/suspend");
    ground.call_as(&admin, "POST", &path, why).await.fails(403, "forbidden");
    let (root, _) = tokens(&ground, "root@example.com").await;
    let me = ground.call_as(&root, "GET", "/api/me", Value::Null).await.expect(200).json();
    assert_eq!((&me["platform_role"], &me["workspace"]), (&json!("super_admin"), &Value::Null));
    let switched = json!({ "workspace": "asha-foods", "tokens": true });
    let there = ground.call_as(&root, "POST", "/api/switch", switched).await.expect(200).json();
    let there = there["tokens"]["access_token"].as_str().unwrap();
    ground.call_as(there, "GET", "/api/workflows", Value::Null).await.expect(200);
}

async fn a_browser_has_cookies_and_must_show_where_it_comes_from(db: Db) {
    let ground = Ground::new(db).await;
    sign_up(&ground, ASHA).await;
    let mut browser = Browser::new(&ground);
    browser.sign_in(ASHA).await;
    let me = browser.call("GET", "/api/me", Value::Null).await.expect(200).json();
    assert_eq!(me["csrf_token"], browser.csrf);
    browser.call("POST", "/api/workflows", greeting()).await.expect(201);
    // Without the token, with a wrong one, and from elsewhere.
    let (csrf, site) = (browser.csrf.clone(), "https://sluice.test");
    for (headers, refusal) in [
        (vec![("origin", site)], "csrf_refused"),
        (vec![("origin", site), ("x-csrf-token", "x")], "csrf_refused"),
        (vec![("origin", site), ("x-csrf-token", &csrf[1..])], "csrf_refused"),
        (vec![("x-csrf-token", csrf.as_str()), ("origin", "https://evil.test")], "cross_site"),
        (vec![("x-csrf-token", csrf.as_str()), ("origin", "null")], "cross_site"),
        (vec![("x-csrf-token", csrf.as_str()), ("sec-fetch-site", "cross-site")], "cross_site"),
        (vec![("x-csrf-token", csrf.as_str()), ("sec-fetch-site", "same-site")], "cross_site"),
    ] {
        browser.call_with("POST", "/api/workflows", greeting(), &headers).await.fails(403, refusal);
        let path = "/api/sessions/ses_1";
        browser.call_with("DELETE", path, Value::Null, &headers).await.fails(403, refusal);
    }
    for path in ["/api/login", "/api/signup", "/api/logout", "/api/refresh", "/api/password/reset"] {
        let headers = [("origin", "https://evil.test")];
        browser.call_with("POST", path, json!({}), &headers).await.fails(403, "cross_site");
    }
    // The refresh token goes to one address only, and works once.
    let stale = browser.cookie("sluice_refresh").unwrap().to_owned();
    browser.call("POST", "/api/refresh", Value::Null).await.expect(200);
    assert_ne!(browser.cookie("sluice_refresh"), Some(stale.as_str()));
    let mut thief = Browser::new(&ground);
    thief.set_cookie("sluice_refresh", &stale, "/api/refresh");
    thief.call("POST", "/api/refresh", Value::Null).await.fails(401, "unauthenticated");
    browser.call("GET", "/api/me", Value::Null).await.fails(401, "unauthenticated");
    browser.call("POST", "/api/refresh", Value::Null).await.fails(401, "unauthenticated");

    browser.sign_in(ASHA).await;
    let kept = browser.cookie("sluice_access").unwrap().to_owned();
    browser.call("POST", "/api/logout", Value::Null).await.expect(200);
    assert_eq!((browser.cookie("sluice_access"), browser.cookie("sluice_refresh")), (None, None));
    browser.set_cookie("sluice_access", &kept, "/");
    browser.call("GET", "/api/me", Value::Null).await.fails(401, "unauthenticated");
    post(&ground, "/api/logout", Value::Null).await.expect(200);
}

async fn tokens_that_must_not_work(db: Db) {
    let ground = Ground::new(db).await;
    sign_up(&ground, ASHA).await;
    sign_up(&ground, "beena@example.com").await;
    let refused = async |token: &str| {
        ground.call_as(token, "GET", "/api/workflows", Value::Null).await.fails(401, "unauthenticated");
    };
    // Of a session that was ended elsewhere.
    let (first, _) = tokens(&ground, ASHA).await;
    let (second, refresh) = tokens(&ground, ASHA).await;
    let sessions = ground.call_as(&second, "GET", "/api/sessions", Value::Null).await.expect(200).json();
    let sessions = sessions["items"].as_array().unwrap();
    assert_eq!((sessions.len(), &sessions[0]["address"]), (2, &json!("192.0.2.1")));
    let other = sessions.iter().find(|one| one["current"] == false).unwrap()["id"].as_str().unwrap();
    let path = format!("/api/sessions/{other}");
    let (beena, _) = tokens(&ground, "beena@example.com").await;
    ground.call_as(&beena, "DELETE", &path, Value::Null).await.fails(404, "not_found");
    ground.call_as(&second, "DELETE", &path, Value::Null).await.expect(200);
    refused(&first).await;
    // Of another tenant.
    ground
        .call_as(&second, "POST", "/api/switch", json!({ "workspace": "rao-foods-2" }))
        .await
        .fails(404, "not_found");
    let reach = [("authorization", &*format!("Bearer {second}")), ("x-sluice-workspace", "asha-foods")];
    send(&ground, "GET", "/api/workflows", Value::Null, &reach).await.fails(404, "not_found");
    // Of a lower token version.
    ground.call_as(&second, "POST", "/api/logout-all", Value::Null).await.expect(200);
    refused(&second).await;
    post(&ground, "/api/refresh", json!({ "refresh_token": refresh })).await.fails(401, "unauthenticated");
    // After signing out with the token in the header, or with the refresh token alone.
    let (access, _) = tokens(&ground, ASHA).await;
    let headers = [("authorization", &*format!("Bearer {access}"))];
    send(&ground, "POST", "/api/logout", Value::Null, &headers).await.expect(200);
    refused(&access).await;
    let (access, refresh) = tokens(&ground, ASHA).await;
    post(&ground, "/api/logout", json!({ "refresh_token": refresh })).await.expect(200);
    refused(&access).await;
    // A password that was changed ends the others and goes on here.
    let (mine, _) = tokens(&ground, ASHA).await;
    let (others, _) = tokens(&ground, ASHA).await;
    let wrong = json!({ "current_password": "not mine", "new_password": "a new password" });
    let refusal =
        ground.call_as(&mine, "POST", "/api/password/change", wrong).await.fails(422, "invalid_value");
    assert_eq!(refusal["details"]["path"], "/current_password");
    let change = json!({ "current_password": PASSWORD, "new_password": "a new password" });
    let given = ground.call_as(&mine, "POST", "/api/password/change", change).await.expect(200).json();
    refused(&mine).await;
    refused(&others).await;
    let mine = given["access_token"].as_str().unwrap();
    ground.call_as(mine, "GET", "/api/workflows", Value::Null).await.expect(200);
    // A forgotten one ends all.
    letters(&ground).await;
    post(&ground, "/api/password/forgot", json!({ "email": ASHA })).await.expect(200);
    let code = code(&ground, ASHA).await;
    let body = json!({ "email": ASHA, "code": code });
    post(&ground, "/api/password/forgot/validate", body).await.expect(200);
    let reset = json!({ "email": ASHA, "code": code, "new_password": PASSWORD });
    post(&ground, "/api/password/reset", reset.clone()).await.expect(200);
    post(&ground, "/api/password/reset", reset).await.fails(400, "code_refused");
    refused(mine).await;
}

async fn who_guesses_is_told_to_wait(db: Db) {
    let ground = Ground::with(db, |config| {
        config.accounts.trusted_proxies = vec!["192.0.2.1/32".parse().unwrap()];
    })
    .await;
    sign_up(&ground, ASHA).await;
    let guess = async |email: &str, password: &str, from: &str| {
        let login = json!({ "email": email, "password": password });
        send(&ground, "POST", "/api/login", login, &[("x-forwarded-for", from)]).await
    };
    for n in 0..10 {
        guess(ASHA, "a guess", &format!("198.51.100.{n}")).await.fails(401, "invalid_credentials");
    }
    let late = guess(ASHA, PASSWORD, "198.51.100.77").await;
    let wait: u64 = late.header("retry-after").parse().unwrap();
    assert!((1..=1_000).contains(&wait), "{wait}");
    late.fails(429, "rate_limited");
    for n in 0..50 {
        guess(&format!("nobody{n}@example.com"), "a guess", "203.0.113.7")
            .await
            .fails(401, "invalid_credentials");
    }
    guess("nobody@example.com", "a guess", "203.0.113.7").await.fails(429, "rate_limited");
    guess("nobody@example.com", "a guess", "203.0.113.8").await.fails(401, "invalid_credentials");
    for _ in 0..3 {
        post(&ground, "/api/password/forgot", json!({ "email": ASHA })).await.expect(200);
    }
    post(&ground, "/api/password/forgot", json!({ "email": ASHA })).await.fails(429, "rate_limited");
}

/// A key that is bound to addresses works from there only, whatever a caller writes about itself.
async fn a_key_is_good_at_its_addresses_only(db: Db) {
    let ground = Ground::with(db, |config| {
        config.accounts.trusted_proxies = vec!["192.0.2.1/32".parse().unwrap()];
    })
    .await;
    let wish = json!({ "name": "office", "addresses": ["203.0.113.0/24"] });
    let made = ground.post("/api/keys", wish).await.expect(201).json();
    let key = format!("Bearer {}", made["key"].as_str().unwrap());
    for (from, status) in [
        ("203.0.113.9", 200),
        ("198.51.100.1", 401),
        ("203.0.113.9, 198.51.100.1", 401),
        ("198.51.100.1, 203.0.113.9", 200),
        ("nonsense", 401),
    ] {
        let headers = [("authorization", key.as_str()), ("x-forwarded-for", from)];
        send(&ground, "GET", "/api/workflows", Value::Null, &headers).await.expect(status);
    }
}

/// Who is invited gets a letter, and comes in with it and with nothing else.
async fn an_invitation_comes_by_mail(db: Db) {
    let ground = Ground::new(db).await;
    sign_up(&ground, "beena@example.com").await;
    let wish = json!({ "email": "Asha@example.com", "role": "agent" });
    ground.post("/api/invitations", wish).await.expect(201);
    let letter = letters(&ground).await.remove(0);
    assert_eq!((letter.to.as_str(), letter.text.contains("asha-foods")), (ASHA, true));
    let link = letter.text.split_whitespace().find(|word| word.starts_with("http")).unwrap();
    let token = link.split_once("/invitation?token=").unwrap().1;
    let token = json!({ "token": token });
    let (beena, _) = tokens(&ground, "beena@example.com").await;
    ground.call_as(&beena, "POST", "/api/invitations/accept", token.clone()).await.fails(404, "not_found");
    sign_up(&ground, ASHA).await;
    let (asha, _) = tokens(&ground, ASHA).await;
    ground.call_as(&asha, "POST", "/api/invitations/accept", token).await.expect(200);
    let there = json!({ "workspace": "asha-foods", "tokens": true });
    let view = ground.call_as(&asha, "POST", "/api/switch", there).await.expect(200).json();
    let asha = view["tokens"]["access_token"].as_str().unwrap();
    ground.call_as(asha, "GET", "/api/workflows", Value::Null).await.expect(200);
    ground.call_as(asha, "POST", "/api/workflows", greeting()).await.fails(403, "forbidden");
}

sluice_db::contract_tests! {
    a_key_is_good_at_its_addresses_only,
    an_invitation_comes_by_mail,
    somebody_signs_up_and_works,
    answers_do_not_tell_who_has_an_account,
    without_mail_nobody_signs_up_and_the_error_says_what_to_set,
    a_closed_installation_takes_no_sign_ups,
    approval_goes_through_a_link_that_works_once,
    those_who_run_the_platform_decide_about_people,
    a_browser_has_cookies_and_must_show_where_it_comes_from,
    tokens_that_must_not_work,
    who_guesses_is_told_to_wait,
}

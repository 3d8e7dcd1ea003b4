//! Sessions: one sign-in on one device, kept alive by refresh tokens that are good once each. A token that comes twice was
//! stolen, from us or from its owner: then the whole session ends. Must not know cookies or access tokens.

use serde::Serialize;
use serde_json::json;
use sluice_db::{DbError, Row, Tx};

use super::{Person, PersonStatus, Stored, change, write_person};
use crate::audit::{Change, PLATFORM, Target};
use crate::ids::{clean, new_id};
use crate::tokens;
use crate::{Actor, ActorKind};
use crate::{RecordError, Records};

/// How long a session lasts at most, milliseconds.
const LIFE_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
/// Longest description of a browser that is kept, characters.
const LONGEST_AGENT: usize = 300;

/// Where somebody signs in from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    /// Network address.
    pub address: Option<String>,
    /// How the browser or program describes itself.
    pub user_agent: Option<String>,
}

/// A session as its owner may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Session {
    /// `ses_…`.
    pub id: String,
    /// Whose it is.
    #[serde(skip)]
    pub person_id: String,
    /// The workspace that is meant when a request names none.
    pub workspace_id: Option<String>,
    /// `password`, `oidc` or `impersonation`.
    pub method: String,
    /// Network address at the last refresh.
    pub address: Option<String>,
    /// Browser or program.
    pub user_agent: Option<String>,
    /// When somebody signed in.
    pub created_at: i64,
    /// When its tokens were last renewed.
    pub last_used_at: i64,
    /// When it ends by itself.
    pub expires_at: i64,
    /// Who acts in the person's place, `per_…`; none for their own sessions.
    pub impersonated_by: Option<String>,
}

/// A session that was just opened or renewed. `refresh_token` cannot be had again.
#[derive(Clone, PartialEq)]
pub struct NewSession {
    /// The session.
    pub session: Session,
    /// Whose it is.
    pub person: Person,
    /// Good once.
    pub refresh_token: String,
}

impl NewSession {
    /// What the audit trail says of it.
    pub(crate) fn opened(&self) -> Change {
        let after = json!({ "session": self.session.id, "method": self.session.method });
        change("person.signed_in", &self.person.id).after(after)
    }
}

impl std::fmt::Debug for NewSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSession").field("session", &self.session).finish_non_exhaustive()
    }
}

impl Device {
    /// What tries from here are counted under.
    pub(crate) fn subject(&self) -> &str {
        self.address.as_deref().unwrap_or("unknown")
    }

    pub(super) fn agent(&self) -> Option<String> {
        self.user_agent.as_deref().map(|agent| clean(agent).chars().take(LONGEST_AGENT).collect())
    }
}

impl Session {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.text("id")?,
            person_id: row.text("person_id")?,
            workspace_id: row.opt_text("home")?,
            method: row.text("method")?,
            address: row.opt_text("address")?,
            user_agent: row.opt_text("user_agent")?,
            created_at: row.int("created_at")?,
            last_used_at: row.int("last_used_at")?,
            expires_at: row.int("expires_at")?,
            impersonated_by: row.opt_text("impersonated_by")?,
        })
    }
}

/// Stores a fresh refresh token of a session and answers it.
async fn issue_token(tx: &mut Tx, session_id: &str, now: i64) -> Result<String, RecordError> {
    let token = tokens::new_token("rt")?;
    let sql = "insert into refresh_tokens (token_hash, session_id, created_at) values ($1, $2, $3)";
    tx.query(sql).bind(tokens::hash(&token)).bind(session_id).bind(now).execute().await?;
    Ok(token)
}

impl Records {
    /// Opens a session for somebody who proved who they are, at home in the workspace they used last.
    pub(crate) async fn open_session(
        &self,
        tx: &mut Tx,
        mut stored: Stored,
        method: &str,
        device: &Device,
    ) -> Result<NewSession, RecordError> {
        const HOME: &str = "select m.scope_id from memberships m join workspaces w on w.id = m.scope_id \
             where m.person_id = $1 and m.scope_kind = 'workspace' and m.status = 'active' and w.status <> 'deleted' \
             order by case when m.scope_id = (select s.home from sessions s where s.person_id = $1 and s.impersonated_by is null \
             order by s.created_at desc, s.id desc limit 1) then 0 else 1 end, m.created_at, m.scope_id limit 1";
        const SQL: &str = "insert into sessions (id, person_id, token_version, home, method, address, user_agent, \
             created_at, last_used_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)";
        let now = self.now();
        stored.person.last_login_at = Some(now);
        write_person(tx, &stored).await?;
        let person = stored.person;
        let home = tx.query(HOME).bind(&person.id).optional().await?;
        let session = Session {
            id: new_id("ses"),
            person_id: person.id.clone(),
            workspace_id: home.map(|row| row.text(0)).transpose()?,
            method: method.to_owned(),
            address: device.address.clone(),
            user_agent: device.agent(),
            created_at: now,
            last_used_at: now,
            expires_at: now + LIFE_MS,
            impersonated_by: None,
        };
        let query = tx.query(SQL).bind(&session.id).bind(&person.id).bind(person.token_version);
        let query = query.bind(&session.workspace_id).bind(method).bind(&session.address);
        query.bind(&session.user_agent).bind(now).bind(session.expires_at).execute().await?;
        let refresh_token = issue_token(tx, &session.id, now).await?;
        Ok(NewSession { session, person, refresh_token })
    }

    /// Exchanges a refresh token for the next one. None when the token is unknown, or its session ended or was ended: if
    /// the token was used before, by this very call.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refresh_session(
        &self,
        token: &str,
        device: &Device,
    ) -> Result<Option<NewSession>, RecordError> {
        let now = self.now();
        let hash = tokens::hash(token);
        let mut tx = self.begin().await?;
        let sql = format!(
            "select s.*, t.rotated_at from refresh_tokens t join sessions s on s.id = t.session_id \
             where t.token_hash = $1{}",
            tx.dialect().for_update()
        );
        let Some(row) = tx.query(sql).bind(&hash).optional().await? else { return Ok(None) };
        let mut session = Session::from_row(&row)?;
        if row.opt_int("ended_at")?.is_some() || session.expires_at <= now {
            return Ok(None);
        }
        if row.opt_int("rotated_at")?.is_some() {
            self.end_one(&mut tx, &session, "token_reuse").await?;
            tx.commit().await?;
            return Ok(None);
        }
        let person =
            tx.query("select * from people where id = $1").bind(&session.person_id).optional().await?;
        let Some(person) = person.as_ref().map(Person::from_row).transpose()? else { return Ok(None) };
        if person.status != PersonStatus::Approved || person.token_version != row.int("token_version")? {
            return Ok(None);
        }
        session.last_used_at = now;
        session.address = device.address.clone().or(session.address);
        let sql = "update refresh_tokens set rotated_at = $2 where token_hash = $1";
        tx.query(sql).bind(&hash).bind(now).execute().await?;
        let sql = "update sessions set last_used_at = $2, address = $3 where id = $1";
        tx.query(sql).bind(&session.id).bind(now).bind(&session.address).execute().await?;
        let refresh_token = issue_token(&mut tx, &session.id, now).await?;
        tx.commit().await?;
        Ok(Some(NewSession { session, person, refresh_token }))
    }

    /// Ends one session of somebody, and answers it. Repeating it changes nothing.
    ///
    /// # Errors
    /// `NotFound` when they have no such session.
    pub async fn end_session(&self, person_id: &str, session_id: &str) -> Result<Session, RecordError> {
        let sql = "select * from sessions where id = $1 and person_id = $2";
        let row = self.db.query(sql).bind(session_id).bind(person_id).optional().await?;
        let row = row.ok_or_else(|| RecordError::not_found("session", session_id))?;
        let session = Session::from_row(&row)?;
        self.sign_out(&session).await?;
        Ok(session)
    }

    /// Ends the session that a refresh token belongs to, if there is one: signing out needs no more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_session_of(&self, token: &str) -> Result<(), RecordError> {
        const SQL: &str = "select s.* from refresh_tokens t join sessions s on s.id = t.session_id \
             where t.token_hash = $1";
        match self.db.query(SQL).bind(tokens::hash(token)).optional().await? {
            Some(row) => self.sign_out(&Session::from_row(&row)?).await,
            None => Ok(()),
        }
    }

    async fn sign_out(&self, session: &Session) -> Result<(), RecordError> {
        let mut tx = self.begin().await?;
        self.end_one(&mut tx, session, "signed_out").await?;
        Ok(tx.commit().await?)
    }

    /// Ends a session and says so in the audit trail, unless it ended before. Last of all in a transaction.
    async fn end_one(&self, tx: &mut Tx, session: &Session, reason: &str) -> Result<(), RecordError> {
        let sql = "update sessions set ended_at = $2, end_reason = $3 where id = $1 and ended_at is null";
        let query = tx.query(sql).bind(&session.id).bind(self.now()).bind(reason);
        if query.execute().await? == 0 {
            return Ok(());
        }
        let row = tx.query("select * from people where id = $1").bind(&session.person_id).one().await?;
        let after = json!({ "session": session.id, "reason": reason });
        let Some(by) = &session.impersonated_by else {
            let changes = vec![change("person.signed_out", &session.person_id).after(after)];
            return self.audit_account(tx, &Person::from_row(&row)?, changes).await;
        };
        let chain = session.workspace_id.as_deref().unwrap_or(PLATFORM);
        let target = Target::new("person", &*session.person_id);
        let ended = Change::new(chain, "person.impersonation_ended", target).after(after);
        let person = Person::from_row(&row)?;
        let actor = Actor {
            kind: ActorKind::Person,
            id: person.id,
            name: person.email,
            impersonated_by: Some(by.clone()),
            ..self.actor().clone()
        };
        self.audit_as(tx, &actor, vec![ended]).await
    }

    /// Ends the sessions of somebody, but for one where it is given.
    pub(crate) async fn end_sessions(
        &self,
        tx: &mut Tx,
        person_id: &str,
        except: Option<&str>,
        reason: &str,
    ) -> Result<(), RecordError> {
        const SQL: &str = "update sessions set ended_at = $2, end_reason = $3 \
             where person_id = $1 and ended_at is null and id <> $4";
        let query = tx.query(SQL).bind(person_id).bind(self.now()).bind(reason);
        query.bind(except.unwrap_or_default()).execute().await?;
        Ok(())
    }

    /// The sessions of somebody that are open, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_sessions(&self, person_id: &str) -> Result<Vec<Session>, RecordError> {
        const SQL: &str = "select * from sessions where person_id = $1 and ended_at is null and expires_at > $2 \
             order by created_at desc, id desc limit 200";
        let rows = self.db.query(SQL).bind(person_id).bind(self.now()).all().await?;
        Ok(rows.iter().map(Session::from_row).collect::<Result<_, _>>()?)
    }

    /// Makes a workspace the one that is meant when requests of a session name none.
    ///
    /// # Errors
    /// `NotFound` when there is no such open session.
    pub async fn choose_workspace(&self, session_id: &str, workspace_id: &str) -> Result<(), RecordError> {
        let sql = "update sessions set home = $2 where id = $1 and ended_at is null";
        let changed = self.db.query(sql).bind(session_id).bind(workspace_id).execute().await?;
        if changed == 0 { Err(RecordError::not_found("session", session_id)) } else { Ok(()) }
    }
}

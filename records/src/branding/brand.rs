//! Names, colours and pictures, each taken from the nearest that has one: workspace, its reseller, the platform.

use super::logo::{Logo, drop_unused};
use crate::audit::Target;
use crate::ids::clean;
use crate::people::normalise_email;
use crate::{RecordError, Records, Scope};
use serde::Serialize;
use serde_json::{Value, json};
use sluice_db::{DbError, Row, Tx};

/// Longest name, characters.
const LONGEST_NAME: usize = 60;

/// How a scope presents itself. What is none is taken from the next above.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Brand {
    /// In place of our name.
    pub name: Option<String>,
    /// Colour of what can be pressed, `#rrggbb`, on light ground.
    pub accent: Option<String>,
    /// The same on dark ground.
    pub accent_dark: Option<String>,
    /// Where people get help.
    pub support_email: Option<String>,
    /// Name of the picture; see [`Records::brand_logo`].
    pub logo_hash: Option<String>,
}

/// What is to change: none stays, empty is taken away.
#[derive(Debug, Clone, Default)]
pub struct BrandChange {
    /// At most 60 characters.
    pub name: Option<String>,
    /// `#rrggbb`.
    pub accent: Option<String>,
    /// `#rrggbb`.
    pub accent_dark: Option<String>,
    /// An e-mail address.
    pub support_email: Option<String>,
    /// `data:image/png;base64,…`, also JPEG and WebP, at most 256 KiB.
    pub logo: Option<String>,
}

impl Brand {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            name: row.opt_text("name")?,
            accent: row.opt_text("accent")?,
            accent_dark: row.opt_text("accent_dark")?,
            support_email: row.opt_text("support_email")?,
            logo_hash: row.opt_text("logo_hash")?,
        })
    }

    fn or(self, next: Self) -> Self {
        Self {
            name: self.name.or(next.name),
            accent: self.accent.or(next.accent),
            accent_dark: self.accent_dark.or(next.accent_dark),
            support_email: self.support_email.or(next.support_email),
            logo_hash: self.logo_hash.or(next.logo_hash),
        }
    }

    fn logged(&self) -> Value {
        json!(self)
    }
}

impl Records {
    /// What a scope itself has set.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn brand(&self, scope: &Scope) -> Result<Brand, RecordError> {
        let sql = "select * from brands where scope_kind = $1 and scope_id = $2";
        let row = self.db.query(sql).bind(scope.kind()).bind(scope.id()).optional().await?;
        Ok(row.as_ref().map(Brand::from_row).transpose()?.unwrap_or_default())
    }

    /// What people of a scope see: its own, filled up from its reseller and from the platform.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn brand_seen(&self, scope: &Scope) -> Result<Brand, RecordError> {
        let own = self.brand(scope).await?;
        let above = match scope {
            Scope::Platform => return Ok(own),
            Scope::Reseller(_) => None,
            Scope::Workspace(id) => self.workspace(id).await?.reseller_id,
        };
        let between = match above {
            Some(id) => self.brand(&Scope::Reseller(id)).await?,
            None => Brand::default(),
        };
        Ok(own.or(between).or(self.brand(&Scope::Platform).await?))
    }

    /// What is shown under a host name (without a port): that of whoever proved it, else the platform's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn brand_of_host(&self, host: &str) -> Result<Brand, RecordError> {
        let scope = self.scope_of_host(host).await?.unwrap_or(Scope::Platform);
        self.brand_seen(&scope).await
    }

    /// Changes what is given.
    ///
    /// # Errors
    /// `Invalid` for a name that is too long, a colour, address or picture that is none.
    pub async fn update_brand(&self, scope: &Scope, change: BrandChange) -> Result<Brand, RecordError> {
        let logo = match change.logo.as_deref().map(str::trim) {
            Some("") => Some(None),
            Some(text) => Some(Some(Logo::from_data_url(text)?)),
            None => None,
        };
        let wanted = |given: Option<String>, check: fn(&str) -> Result<(), RecordError>| {
            let Some(text) = given else { return Ok(None) };
            let text = clean(text.trim());
            if text.is_empty() {
                return Ok(Some(None));
            }
            check(&text).map(|()| Some(Some(text)))
        };
        let name = wanted(change.name, check_name)?;
        let accent = wanted(change.accent, |text| check_colour("accent", text))?;
        let accent_dark = wanted(change.accent_dark, |text| check_colour("accent_dark", text))?;
        let support_email = wanted(change.support_email, check_address)?;

        let now = self.now();
        let mut tx = self.begin().await?;
        tx.lock(&format!("brand {}/{}", scope.kind(), scope.id())).await?;
        let was = brand_in(&mut tx, scope).await?;
        let is = Brand {
            name: name.unwrap_or_else(|| was.name.clone()),
            accent: accent.unwrap_or_else(|| was.accent.clone()),
            accent_dark: accent_dark.unwrap_or_else(|| was.accent_dark.clone()),
            support_email: support_email.unwrap_or_else(|| was.support_email.clone()),
            logo_hash: match &logo {
                Some(logo) => logo.as_ref().map(|logo| logo.hash.clone()),
                None => was.logo_hash.clone(),
            },
        };
        if let Some(Some(logo)) = &logo {
            logo.keep(&mut tx, now).await?;
        }
        let sql = "insert into brands (scope_kind, scope_id, name, accent, accent_dark, support_email, logo_hash, updated_at) \
                   values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (scope_kind, scope_id) do update set \
                   name = excluded.name, accent = excluded.accent, accent_dark = excluded.accent_dark, \
                   support_email = excluded.support_email, logo_hash = excluded.logo_hash, updated_at = excluded.updated_at";
        let query = tx.query(sql).bind(scope.kind()).bind(scope.id()).bind(is.name.as_deref());
        let query = query.bind(is.accent.as_deref()).bind(is.accent_dark.as_deref());
        let query = query.bind(is.support_email.as_deref()).bind(is.logo_hash.as_deref());
        query.bind(now).execute().await?;
        if was.logo_hash != is.logo_hash {
            drop_unused(&mut tx).await?;
        }
        let changed = super::change(scope, "brand.updated", Target::new("brand", scope.id()));
        self.audit(&mut tx, changed.between(was.logged(), is.logged())).await?;
        tx.commit().await?;
        Ok(is)
    }
}

async fn brand_in(tx: &mut Tx, scope: &Scope) -> Result<Brand, RecordError> {
    let sql = "select * from brands where scope_kind = $1 and scope_id = $2";
    let row = tx.query(sql).bind(scope.kind()).bind(scope.id()).optional().await?;
    Ok(row.as_ref().map(Brand::from_row).transpose()?.unwrap_or_default())
}

fn check_name(name: &str) -> Result<(), RecordError> {
    if name.chars().count() > LONGEST_NAME {
        return Err(RecordError::invalid("name", format!("a name has at most {LONGEST_NAME} characters")));
    }
    Ok(())
}

fn check_colour(path: &str, text: &str) -> Result<(), RecordError> {
    let digits = text.strip_prefix('#').unwrap_or_default();
    if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(RecordError::invalid(path, "a colour is written as #rrggbb"))
}

fn check_address(text: &str) -> Result<(), RecordError> {
    let wrong = |_| RecordError::invalid("support_email", "this is no e-mail address");
    normalise_email(text).map(|_| ()).map_err(wrong)
}

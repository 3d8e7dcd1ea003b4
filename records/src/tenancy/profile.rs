//! What a business says about itself: for its own settings, and for workflows that write in its name.

use crate::RecordError;
use crate::ids::clean;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The profile of a workspace's business. Everything may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// Such as `restaurant`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business_type: Option<String>,
    /// Such as `food and beverages`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub industry: Option<String>,
    /// Whom it sells to: `b2b`, `b2c` or `both`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sells_to: Option<String>,
    /// What it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who its customers are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// What it does better than others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selling_point: Option<String>,
    /// `https://…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// Where it is registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<PostalAddress>,
    /// At most four.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub competitors: Vec<Competitor>,
    /// Addresses by network, such as `instagram`; at most 16.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub social_links: BTreeMap<String, String>,
    /// Anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remarks: Option<String>,
}

/// Where a business is registered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PostalAddress {
    /// House and street.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// City.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// District or state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub district: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Two letters (ISO 3166-1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// Somebody who sells the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Competitor {
    /// Its name.
    pub name: String,
    /// `https://…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
}

/// Characters of a short text, and of a long one.
const SHORT: usize = 200;
const LONG: usize = 4_000;
const COMPETITORS: usize = 4;
const LINKS: usize = 16;

impl Profile {
    /// The profile with clean texts.
    ///
    /// # Errors
    /// `Invalid` with the path of the first value that is too long or malformed.
    pub(crate) fn checked(mut self) -> Result<Self, RecordError> {
        for (path, text, most) in [
            ("profile.business_type", &mut self.business_type, SHORT),
            ("profile.industry", &mut self.industry, SHORT),
            ("profile.description", &mut self.description, LONG),
            ("profile.audience", &mut self.audience, LONG),
            ("profile.selling_point", &mut self.selling_point, LONG),
            ("profile.remarks", &mut self.remarks, LONG),
        ] {
            tidy(path, text, most)?;
        }
        if let Some(kind) = &self.sells_to
            && !["b2b", "b2c", "both"].contains(&kind.as_str())
        {
            return Err(RecordError::invalid("profile.sells_to", "use `b2b`, `b2c` or `both`"));
        }
        web("profile.website", self.website.as_deref())?;
        if let Some(address) = &mut self.address {
            for (path, text) in [
                ("profile.address.line", &mut address.line),
                ("profile.address.city", &mut address.city),
                ("profile.address.district", &mut address.district),
                ("profile.address.postal_code", &mut address.postal_code),
            ] {
                tidy(path, text, SHORT)?;
            }
            if let Some(country) = &address.country
                && !(country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()))
            {
                let path = "profile.address.country";
                return Err(RecordError::invalid(path, "use two capital letters, as in `IN` (ISO 3166-1)"));
            }
        }
        if self.competitors.len() > COMPETITORS {
            return Err(RecordError::invalid("profile.competitors", "name at most four"));
        }
        for (at, competitor) in self.competitors.iter_mut().enumerate() {
            let mut name = Some(std::mem::take(&mut competitor.name));
            let path = format!("profile.competitors[{at}].name");
            tidy(&path, &mut name, SHORT)?;
            competitor.name = name.ok_or_else(|| RecordError::invalid(&path, "must not be empty"))?;
            web(&format!("profile.competitors[{at}].website"), competitor.website.as_deref())?;
        }
        if self.social_links.len() > LINKS {
            return Err(RecordError::invalid("profile.social_links", "give at most 16"));
        }
        for (network, link) in &self.social_links {
            if network.is_empty() || network.chars().count() > 40 || network.contains('\0') {
                return Err(RecordError::invalid("profile.social_links", "names have 1 to 40 characters"));
            }
            web(&format!("profile.social_links.{network}"), Some(link))?;
        }
        Ok(self)
    }
}

/// Trims a text; an empty one counts as none.
fn tidy(path: &str, text: &mut Option<String>, most: usize) -> Result<(), RecordError> {
    *text = text.take().map(|text| clean(text.trim())).filter(|text| !text.is_empty());
    match text {
        Some(text) if text.chars().count() > most => {
            Err(RecordError::invalid(path, format!("use at most {most} characters")))
        }
        _ => Ok(()),
    }
}

/// An address that browsers open, and nothing that runs.
fn web(path: &str, address: Option<&str>) -> Result<(), RecordError> {
    let Some(address) = address else { return Ok(()) };
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    let is_good = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && address.len() <= 2_000
        && !address.chars().any(|c| c.is_whitespace() || c.is_control());
    if is_good {
        return Ok(());
    }
    Err(RecordError::invalid(path, "use a web address that starts with https:// or http://"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(value: Value) -> Result<Profile, String> {
        let profile: Profile = serde_json::from_value(value).map_err(|error| error.to_string())?;
        profile.checked().map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_good_comes_back_tidy() {
        let profile = read(json!({
            "business_type": "  restaurant ", "industry": " ", "sells_to": "both", "website": "https://asha.example",
            "address": { "city": "Pune", "country": "IN" },
            "competitors": [{ "name": "Beta", "website": "http://beta.example" }],
            "social_links": { "instagram": "https://instagram.example/asha" },
        }))
        .unwrap();
        assert_eq!(profile.business_type.as_deref(), Some("restaurant"));
        assert_eq!(profile.industry, None);
        let again: Profile = serde_json::from_value(serde_json::to_value(&profile).unwrap()).unwrap();
        assert_eq!(again, profile);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (value, path) in [
            (json!({ "sells_to": "cats" }), "profile.sells_to"),
            (json!({ "website": "javascript:alert(1)" }), "profile.website"),
            (json!({ "website": "https://" }), "profile.website"),
            (json!({ "website": "https://a b" }), "profile.website"),
            (json!({ "address": { "country": "India" } }), "profile.address.country"),
            (json!({ "description": "x".repeat(4_001) }), "profile.description"),
            (json!({ "competitors": [{ "name": " " }] }), "profile.competitors[0].name"),
            (json!({ "competitors": vec![json!({ "name": "x" }); 5] }), "profile.competitors"),
            (json!({ "social_links": { "x": "ftp://x" } }), "profile.social_links.x"),
            (json!({ "tenant_id": "ws_2" }), "unknown field"),
        ] {
            let error = read(value.clone()).unwrap_err();
            assert!(error.starts_with(path), "{value}: {error}");
        }
    }
}

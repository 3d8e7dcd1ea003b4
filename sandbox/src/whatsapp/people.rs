//! The WhatsApp users that the sandbox has heard of: phone, business-scoped id, or both.
//!
//! It must not know their messages.

use super::phone;
use serde::Serialize;
use std::collections::HashMap;

/// One user. At least the user id is always there; the phone number may be unknown.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub(crate) struct Person {
    /// Phone number as WhatsApp id, in digits.
    pub(crate) wa_id: Option<String>,
    /// Business-scoped user id.
    pub(crate) user_id: String,
    pub(crate) name: Option<String>,
    pub(crate) username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parent_user_id: Option<String>,
}

impl Person {
    /// What the messages of this person are listed under.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.user_id == name
            || self.wa_id.as_deref().is_some_and(|id| id == name || id == phone::digits(name))
    }
}

/// All known users.
#[derive(Debug, Default)]
pub(crate) struct People {
    by_user_id: HashMap<String, Person>,
    user_id_of_phone: HashMap<String, String>,
}

/// All users belong to one business portfolio, so that every number sees the same ids.
const PORTFOLIO: &str = "sandbox";

impl People {
    /// The user with this phone number, new if need be.
    pub(crate) fn by_phone(&mut self, wa_id: &str) -> Person {
        let known = self.user_id_of_phone.get(wa_id).cloned();
        let user_id = known.unwrap_or_else(|| phone::user_id(wa_id, PORTFOLIO));
        self.link(Some(wa_id), &user_id)
    }

    /// The user with this user id, new if need be.
    pub(crate) fn by_user_id(&mut self, user_id: &str) -> Person {
        self.link(None, user_id)
    }

    /// Notes that a phone number and a user id are the same person.
    pub(crate) fn link(&mut self, wa_id: Option<&str>, user_id: &str) -> Person {
        if let Some(wa_id) = wa_id {
            self.user_id_of_phone.insert(wa_id.to_owned(), user_id.to_owned());
        }
        let person = self.by_user_id.entry(user_id.to_owned()).or_insert_with(|| Person {
            wa_id: None,
            user_id: user_id.to_owned(),
            name: None,
            username: None,
            parent_user_id: None,
        });
        if let Some(wa_id) = wa_id {
            person.wa_id = Some(wa_id.to_owned());
        }
        person.clone()
    }

    /// Keeps what a person tells about themselves.
    pub(crate) fn remember(&mut self, person: &Person) {
        self.by_user_id.insert(person.user_id.clone(), person.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_and_a_user_id_become_one_person_once_they_come_together() {
        let mut people = People::default();
        assert_eq!(people.by_user_id("US.1").wa_id, None);
        people.link(Some("16505551234"), "US.1");
        assert_eq!(people.by_phone("16505551234").user_id, "US.1");
        assert_eq!(people.by_user_id("US.1").wa_id.as_deref(), Some("16505551234"));
        assert!(people.by_phone("16505551234").is_called("+1 650 555 1234"));
    }
}

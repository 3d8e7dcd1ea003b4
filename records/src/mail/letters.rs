//! What the messages about accounts say. Plain and short; of what strangers write, only the name of the workspace that
//! invites goes to an address that is not theirs. Must not know when they are sent.

use super::Letter;
use crate::people::Person;

/// The code of a sign-up.
pub(crate) fn verify_email(to: &str, code: &str) -> Letter {
    Letter {
        to: to.to_owned(),
        subject: "Your sign-up code".to_owned(),
        text: format!(
            "Your code is {code}\n\nIt is good for 15 minutes. If you did not sign up, ignore this message: \
             nothing happens without the code.\n"
        ),
    }
}

/// Somebody signed up with the address of an account that exists.
pub(crate) fn already_signed_up(to: &str) -> Letter {
    Letter {
        to: to.to_owned(),
        subject: "You have an account already".to_owned(),
        text: "Somebody, probably you, tried to sign up with this address. It has an account already: sign in, or \
               ask for a new password if you forgot yours.\n\nIf it was not you, ignore this message: nothing was \
               changed.\n"
            .to_owned(),
    }
}

/// The code of a password reset.
pub(crate) fn reset_password(to: &str, code: &str) -> Letter {
    Letter {
        to: to.to_owned(),
        subject: "Your code for a new password".to_owned(),
        text: format!(
            "Your code is {code}\n\nIt is good for 15 minutes. If you did not ask for a new password, ignore this \
             message: nothing happens without the code.\n"
        ),
    }
}

/// Somebody is invited to join a workspace or a team. `pages` is the address of our pages, where there are any.
pub(crate) fn invitation(to: &str, name: Option<&str>, pages: Option<&str>, token: &str) -> Letter {
    let place = match name {
        Some(name) => format!(" to “{name}”"),
        None => String::new(),
    };
    let way = match pages {
        Some(pages) => format!("here:\n\n{pages}/invitation?token={token}"),
        None => format!("with this token:\n\n{token}"),
    };
    Letter {
        to: to.to_owned(),
        subject: "You are invited".to_owned(),
        text: format!(
            "You are invited{place}. Sign in with this address, or sign up with it, and accept the invitation \
             {way}\n\nIt is open for a week. If you do not know what this is about, ignore this \
             message.\n"
        ),
    }
}

/// The password was changed.
pub(crate) fn password_changed(to: &str) -> Letter {
    Letter {
        to: to.to_owned(),
        subject: "Your password was changed".to_owned(),
        text: "The password of your account was changed, and you were signed out everywhere else.\n\nIf it was not \
               you, ask for a new password at once.\n"
            .to_owned(),
    }
}

/// Somebody waits for approval; to those who decide.
pub(crate) fn review(to: &str, person: &Person, link: &str) -> Letter {
    let told = |field: &str, value: Option<&str>| match value {
        Some(value) => format!("{field}: {value}\n"),
        None => String::new(),
    };
    Letter {
        to: to.to_owned(),
        subject: "A sign-up waits for approval".to_owned(),
        text: format!(
            "Somebody signed up and proved their e-mail address.\n\n{}{}{}{}{}\nSee it and decide:\n{link}\n\n\
             The link works once and for two days.\n",
            told("Name", Some(&person.name)),
            told("E-mail", Some(&person.email)),
            told("Phone", person.phone.as_deref()),
            told("Business", person.business_name.as_deref()),
            told("Industry", person.industry.as_deref()),
        ),
    }
}

/// The sign-up was approved.
pub(crate) fn approved(to: &str) -> Letter {
    Letter {
        to: to.to_owned(),
        subject: "Your account is ready".to_owned(),
        text: "Your sign-up was approved. You can sign in now.\n".to_owned(),
    }
}

/// The sign-up was not approved.
pub(crate) fn rejected(to: &str, reason: &str) -> Letter {
    Letter {
        to: to.to_owned(),
        subject: "Your sign-up was not approved".to_owned(),
        text: format!("Your sign-up was not approved.\n\nReason: {reason}\n"),
    }
}

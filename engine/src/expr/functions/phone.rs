//! Phone numbers. Inputs are bounded because the parser's patterns are not linear.

use std::sync::Once;
use std::time::Instant;

use phonenumber::{Mode, PhoneNumber, country};
use rhai::{Dynamic, Engine};

use super::args::text;
use crate::expr::failure::{Outcome, refused};
use crate::expr::frame;

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("phone_e164", |x: Dynamic| e164(&x, None));
    engine.register_fn("phone_e164", |x: Dynamic, region: Dynamic| e164(&x, Some(&region)));
    engine.register_fn("is_phone", |x: Dynamic| is_phone(&x, None));
    engine.register_fn("is_phone", |x: Dynamic, region: Dynamic| is_phone(&x, Some(&region)));
    engine.register_fn("phone_country", |x: Dynamic| country_of(&x, None));
    engine.register_fn("phone_country", |x: Dynamic, region: Dynamic| country_of(&x, Some(&region)));
}

/// Longest text that is looked at, in characters.
const MAX_CHARS: usize = 32;

/// The first use in a process reads the tables of all countries, which takes a while.
static TABLES_READ: Once = Once::new();

fn read_tables() {
    TABLES_READ.call_once(|| {
        let started = Instant::now();
        let _tables: &phonenumber::metadata::Database = &phonenumber::metadata::DATABASE;
        frame::forgive(started.elapsed());
    });
}

/// The valid number in a text; `None` when there is none.
fn parsed(function: &str, x: &Dynamic, region: Option<&Dynamic>) -> Outcome<Option<PhoneNumber>> {
    let region = match region {
        None => None,
        Some(region) => {
            let code = text(function, region)?.to_uppercase();
            let id = code.parse::<country::Id>();
            Some(id.map_err(|_| refused(format!("{function}(): `{code}` is not a country code such as DE")))?)
        }
    };
    if x.is_unit() {
        return Ok(None);
    }
    let written = if x.is_int() { x.to_string().into() } else { text(function, x)? };
    if written.chars().count() > MAX_CHARS {
        return Ok(None);
    }
    read_tables();
    let number = phonenumber::parse(region, written.trim()).ok();
    Ok(number.filter(PhoneNumber::is_valid))
}

fn e164(x: &Dynamic, region: Option<&Dynamic>) -> Outcome {
    let number = parsed("phone_e164", x, region)?;
    match number {
        Some(number) => Ok(number.format().mode(Mode::E164).to_string().into()),
        None => Err(refused(
            "phone_e164() found no valid phone number; give the country as the second argument for national numbers",
        )),
    }
}

fn is_phone(x: &Dynamic, region: Option<&Dynamic>) -> Outcome<bool> {
    if !x.is_string() && !x.is_int() {
        return Ok(false);
    }
    Ok(parsed("is_phone", x, region)?.is_some())
}

fn country_of(x: &Dynamic, region: Option<&Dynamic>) -> Outcome {
    let number = parsed("phone_country", x, region)?;
    let id = number.and_then(|number| number.country().id());
    Ok(id.map_or(Dynamic::UNIT, |id| id.as_ref().into()))
}

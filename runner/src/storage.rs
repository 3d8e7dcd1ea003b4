//! What the settings say of large bodies and of how long things are kept. Must not know how either is done.

use crate::config::ConfigError;
use sluice_engine::drive::Retention;
use sluice_engine::store::payloads::{Bucket, BucketSettings, Folder, PayloadPlace, Payloads};
use sluice_node_sdk::duration::parse_duration_ms;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// From this size on a body goes to the payload store, bytes.
const THRESHOLD: usize = 64 << 10;

/// What a node may give, bytes.
const MAX_PAYLOAD: usize = 16 << 20;

/// Where payloads are.
#[derive(Clone, Debug)]
pub enum Place {
    /// A folder.
    Folder(PathBuf),
    /// A bucket.
    Bucket(BucketSettings),
    /// In the database.
    Off,
}

/// Large bodies.
#[derive(Clone, Debug)]
pub struct PayloadSettings {
    /// Where they go.
    pub place: Place,
    /// From which size on, bytes; `None`: nothing is written there, only read.
    pub threshold: Option<usize>,
    /// What one execution of a node may give, bytes.
    pub max_payload: usize,
}

/// The settings of a bucket beside its name.
#[derive(Clone, Default)]
pub(crate) struct Access {
    pub(crate) endpoint: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) key_id: Option<String>,
    pub(crate) secret: Option<String>,
}

impl PayloadSettings {
    /// Reads the settings. Without a place a SQLite installation uses the folder `payloads` in its data folder. With
    /// PostgreSQL, where other processes could not read that folder, everything stays in the database; what a copied
    /// installation brought along is still read from the folder.
    pub(crate) fn read(
        place: Option<&str>,
        threshold: Option<&str>,
        max_payload: Option<&str>,
        access: Access,
        (data, is_postgres): (&Path, bool),
    ) -> Result<Self, ConfigError> {
        let size = |name, text: Option<&str>, default| {
            text.map_or(Ok(default), |text| bytes(text).map_err(|error| ConfigError::Value(name, error)))
        };
        let threshold = size("payload_threshold", threshold, THRESHOLD)?;
        Ok(Self {
            place: match place {
                None => Place::Folder(data.join("payloads")),
                Some(text) => {
                    self::place(text, access).map_err(|error| ConfigError::Value("payloads", error))?
                }
            },
            threshold: Some(threshold).filter(|_| place.is_some() || !is_postgres),
            max_payload: size("max_payload", max_payload, MAX_PAYLOAD)?,
        })
    }

    /// Opens the place; nothing is asked of it yet.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn open(&self) -> Result<Option<Payloads>, String> {
        let place: Arc<dyn PayloadPlace> = match &self.place {
            Place::Folder(path) => Arc::new(Folder::new(path)),
            Place::Bucket(settings) => Arc::new(Bucket::new(settings).map_err(|error| error.to_string())?),
            Place::Off => return Ok(None),
        };
        Ok(Some(Payloads::new(place, self.threshold.unwrap_or(usize::MAX))))
    }
}

fn place(text: &str, access: Access) -> Result<Place, String> {
    if text == "off" {
        return Ok(Place::Off);
    }
    if let Some(path) = text.strip_prefix("file:").filter(|path| !path.is_empty()) {
        return Ok(Place::Folder(path.into()));
    }
    let Some(rest) = text.strip_prefix("s3://") else {
        return Err(format!("{text:?} is no place; write `file:PATH`, `s3://BUCKET/PREFIX` or `off`"));
    };
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err("the bucket has no name; write `s3://BUCKET/PREFIX`".to_owned());
    }
    if access.key_id.is_some() != access.secret.is_some() {
        return Err(
            "of `payloads_key_id` and `payloads_secret` only one is set; set both, or none".to_owned()
        );
    }
    Ok(Place::Bucket(BucketSettings {
        bucket: bucket.to_owned(),
        prefix: prefix.trim_matches('/').to_owned(),
        endpoint: access.endpoint,
        region: access.region,
        key_id: access.key_id,
        secret: access.secret,
    }))
}

/// How long things are kept, milliseconds; `None` for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// Finished runs of workflows that do not say it themselves.
    pub runs: Option<i64>,
    /// Finished test runs.
    pub tests: Option<i64>,
    /// What came in, and how long a repetition of it is recognised.
    pub inbound: Option<i64>,
}

/// Providers repeat themselves for up to seven days.
const SHORTEST_INBOUND: i64 = 7 * 86_400_000;

impl Keeping {
    pub(crate) fn read(
        runs: Option<&str>,
        tests: Option<&str>,
        inbound: Option<&str>,
    ) -> Result<Self, ConfigError> {
        let inbound = length("inbound_retention", inbound.unwrap_or("90d"))?;
        if inbound.is_some_and(|length| length < SHORTEST_INBOUND) {
            let why = "providers repeat themselves for up to 7 days, so it must not be shorter than `7d`";
            return Err(ConfigError::Value("inbound_retention", why.to_owned()));
        }
        Ok(Self {
            runs: length("retention", runs.unwrap_or("90d"))?,
            tests: length("test_retention", tests.unwrap_or("7d"))?,
            inbound,
        })
    }

    /// As the engine wants to know it.
    pub(crate) fn of_engine(&self) -> Retention {
        Retention { runs: self.runs, tests: self.tests, receipts: self.inbound }
    }
}

fn length(name: &'static str, text: &str) -> Result<Option<i64>, ConfigError> {
    if text == "off" {
        return Ok(None);
    }
    parse_duration_ms(text).map(Some).map_err(|error| ConfigError::Value(name, format!("{error}, or `off`")))
}

/// Reads a size: `65536`, `64KiB`, `16MiB`, `1GiB`.
fn bytes(text: &str) -> Result<usize, String> {
    let text = text.trim();
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)];
    let (number, unit) =
        units.iter().find_map(|(name, size)| Some((text.strip_suffix(name)?, *size))).unwrap_or((text, 1));
    let number: Option<usize> = number.trim().parse().ok();
    let size = number.and_then(|number| number.checked_mul(unit)).filter(|size| *size > 0);
    size.ok_or_else(|| format!("{text:?} is no size; write a number of bytes, or as in `64KiB` or `16MiB`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(place: Option<&str>, is_postgres: bool) -> Result<PayloadSettings, ConfigError> {
        let access = Access { key_id: Some("k".into()), secret: Some("hidden".into()), ..Access::default() };
        PayloadSettings::read(place, None, None, access, (Path::new("data"), is_postgres))
    }

    #[test]
    fn places_are_told_apart() {
        let sqlite = read(None, false).unwrap();
        assert!(matches!(&sqlite.place, Place::Folder(path) if path == Path::new("data/payloads")));
        assert_eq!((sqlite.threshold, sqlite.max_payload), (Some(65_536), 16 << 20));
        // Others could not read it, so nothing new goes there.
        assert_eq!(read(None, true).unwrap().threshold, None);
        assert_eq!(read(Some("file:/shared/x"), true).unwrap().threshold, Some(65_536));
        let bucket = read(Some("s3://box/a/b/"), true).unwrap();
        let Place::Bucket(settings) = &bucket.place else { panic!("{bucket:?}") };
        assert_eq!((settings.bucket.as_str(), settings.prefix.as_str()), ("box", "a/b"));
        assert!(!format!("{bucket:?}").contains("hidden"));
        assert!(matches!(read(Some("off"), false).unwrap().place, Place::Off));
        for wrong in ["", "file:", "s3://", "gs://box", "/path"] {
            let error = read(Some(wrong), false).unwrap_err();
            assert!(error.to_string().contains("`payloads`"), "{error}");
        }
        let half = Access { secret: Some("x".into()), ..Access::default() };
        assert!(PayloadSettings::read(Some("s3://box"), None, None, half, (Path::new("."), false)).is_err());
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(bytes("65536"), Ok(65_536));
        assert_eq!(bytes("64 KiB"), Ok(65_536));
        assert_eq!(bytes("16MiB"), Ok(16 << 20));
        for wrong in ["", "0", "-1", "64K", "MiB", "1.5MiB", "99999999999999GiB"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lengths_have_defaults_and_an_end() {
        let day = 86_400_000;
        let defaults = Keeping { runs: Some(90 * day), tests: Some(7 * day), inbound: Some(90 * day) };
        assert_eq!(Keeping::read(None, None, None).unwrap(), defaults);
        let read = Keeping::read(Some("off"), Some("1h"), Some("7d")).unwrap();
        assert_eq!(read, Keeping { runs: None, tests: Some(3_600_000), inbound: Some(7 * day) });
        assert!(Keeping::read(None, None, Some("6d")).unwrap_err().to_string().contains("7d"));
        assert!(Keeping::read(Some("soon"), None, None).unwrap_err().to_string().contains("`retention`"));
    }
}

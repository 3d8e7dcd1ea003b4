//! A secret in the clear, for as long as it is needed. Must not know how it is sealed.

use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

/// Secret JSON in the clear. Wiped when dropped; has neither `Debug` nor `Serialize`, so it cannot slip into a log.
pub struct Secret(Value);

impl Secret {
    /// Takes JSON, usually an object of strings.
    pub fn new(value: Value) -> Self {
        Self(value)
    }

    /// A text field of the object.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field).and_then(Value::as_str)
    }

    /// Everything. Whoever copies it answers for the copy.
    pub fn expose(&self) -> &Value {
        &self.0
    }

    /// The names of the fields that are set, in order: what may be shown of a secret.
    pub fn names(&self) -> Vec<String> {
        let fields = self.0.as_object().into_iter().flatten();
        fields.filter(|(_, value)| !value.is_null()).map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().map(Self)
    }

    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Room for the tag as well, so that sealing does not move (and leave behind) the plain text.
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.0.to_string_len() + 64));
        serde_json::to_writer(&mut *bytes, &self.0).expect("JSON values always serialise into memory");
        bytes
    }
}

/// The length of a JSON text, found by writing it nowhere.
trait TextLength {
    fn to_string_len(&self) -> usize;
}

impl TextLength for Value {
    fn to_string_len(&self) -> usize {
        struct Count(usize);
        impl std::io::Write for Count {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0 += bytes.len();
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let mut count = Count(0);
        serde_json::to_writer(&mut count, self).expect("counting never fails");
        count.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

//! Shapes of answers that many routes share. Must not know what is listed.

use crate::error::ApiError;
use serde::{Deserialize, Serialize};

/// A page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Listed<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// Pass as `cursor` to get the next page; null at the end.
    #[schema(required)]
    pub(crate) next: Option<String>,
}

impl<T> Listed<T> {
    /// A list that fits on one page.
    pub(crate) fn all(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

/// Which page.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    /// `next` of the page before.
    pub(crate) cursor: Option<String>,
    /// Size of the page, 1 to 200; 50 when missing.
    #[param(minimum = 1, maximum = 200)]
    pub(crate) limit: Option<u32>,
}

impl PageQuery {
    /// The size asked for.
    pub(crate) fn size(&self) -> u32 {
        page_size(self.limit)
    }
}

/// The size of a page.
pub(crate) fn page_size(limit: Option<u32>) -> u32 {
    limit.unwrap_or(50).clamp(1, 200)
}

/// Does the work to its end even when the caller goes away: a request that is given up must not stop a run in the
/// middle of a turn.
///
/// # Errors
/// When the work panicked.
pub(crate) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::spawn(work).await.map_err(|fault| ApiError::internal(&fault))
}

//! Pages of lists. Every list of the API takes `?limit=&cursor=` and names its next page in the header `Link`
//! (RFC 8288, `rel="next"`). A cursor is opaque, and of one list: it holds where the page ended, and a hash of that with
//! the tenant, the address and its filter, so that it opens nothing else and is refused everywhere else.

use axum::Json;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{SnapshotId, TenantId};
use serde::Serialize;

use super::caller::Caller;
use super::page::pairs;
use super::problem::{Kind, Problem};

/// How many items a page has when nothing is said, and at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes(pub(crate) usize, pub(crate) usize);

const ITEMS: Sizes = Sizes(200, 1_000);
/// Bytes of the hash in front of a position.
const MARK_BYTES: usize = 12;

/// Which page of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paging {
    limit: usize,
    after: Option<String>,
    list: List,
}

/// One list: whose, where, and with which filter.
#[derive(Debug, Clone, PartialEq, Eq)]
struct List {
    tenant: TenantId,
    path: String,
    filter: Vec<(String, String)>,
}

impl Paging {
    /// Reads `limit` and `cursor` of an address.
    ///
    /// # Errors
    /// 400 for a limit that is no number of 1 or more, and for a cursor that is not of this list.
    pub(crate) fn of(caller: &Caller, uri: &Uri) -> Result<Self, Problem> {
        Self::sized(caller, uri, ITEMS)
    }

    /// The same for pages of another size.
    ///
    /// # Errors
    /// As [`Paging::of`].
    pub(crate) fn sized(caller: &Caller, uri: &Uri, sizes: Sizes) -> Result<Self, Problem> {
        let bad = |detail: String| Problem::new(Kind::BadRequest, detail, &caller.trace);
        Self::read(caller.principal.tenant(), uri, sizes).map_err(bad)
    }

    fn read(tenant: TenantId, uri: &Uri, Sizes(usual, most): Sizes) -> Result<Self, String> {
        let (mut limit, mut cursor, mut filter) = (usual, None, Vec::new());
        for (name, value) in pairs(uri) {
            match name.as_str() {
                "limit" => {
                    let number = value.parse().ok().filter(|number: &usize| *number > 0);
                    let wrong = || format!("`limit` is `{value}`: give a number from 1 to {most}.");
                    limit = number.ok_or_else(wrong)?.min(most);
                }
                "cursor" => cursor = Some(value),
                _ => filter.push((name, value)),
            }
        }
        filter.sort();
        let list = List { tenant, path: uri.path().to_owned(), filter };
        let after = cursor.map(|cursor| list.position(&cursor).ok_or_else(not_of_this_list)).transpose()?;
        Ok(Self { limit, after, list })
    }

    /// How many items the page has at most.
    pub(crate) const fn limit(&self) -> usize {
        self.limit
    }

    /// Where the page before ended, as its handler named that item.
    pub(crate) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// The problem of a cursor whose position is not one of this list any more.
    pub(crate) fn lost(caller: &Caller) -> Problem {
        let detail = "The item at which the page before ended is gone. Begin again without `cursor`.";
        Problem::new(Kind::BadRequest, detail, &caller.trace)
    }

    /// One page of a whole list, whose items are told apart by `key`.
    ///
    /// # Errors
    /// 400 when the page before ended at an item that is gone.
    pub(crate) fn cut<T>(
        &self,
        caller: &Caller,
        items: Vec<T>,
        key: impl Fn(&T) -> String,
    ) -> Result<Page<T>, Problem> {
        let begin = match self.after() {
            None => 0,
            Some(after) => {
                let found = items.iter().position(|item| key(item) == after);
                found.ok_or_else(|| Self::lost(caller))? + 1
            }
        };
        let mut items: Vec<T> = items.into_iter().skip(begin).take(self.limit + 1).collect();
        let has_more = items.len() > self.limit;
        items.truncate(self.limit);
        let last = items.last().map(&key).filter(|_| has_more);
        Ok(self.page(items, last))
    }

    /// Where the page before ended in the rows of a snapshot: which one, and how many rows it and those before had.
    ///
    /// # Errors
    /// 400 for a cursor that says neither.
    pub(crate) fn rows_before(&self, caller: &Caller) -> Result<Option<(SnapshotId, u64)>, Problem> {
        let Some(after) = self.after() else { return Ok(None) };
        let place = after.split_once(' ').and_then(|(id, row)| Some((id.parse().ok()?, row.parse().ok()?)));
        place.map(Some).ok_or_else(|| Self::lost(caller))
    }

    /// The cursor of the rows from `row` on, which are of the same snapshot whatever is published meanwhile, and the address.
    pub(crate) fn rows_from(&self, snapshot: SnapshotId, row: u64) -> (String, String) {
        let next = self.list.cursor(&format!("{snapshot} {row}"));
        let link = self.list.address(self.limit, &next);
        (next, link)
    }

    /// A page that was read as one; `last` is the position of its last item when more follow.
    pub(crate) fn page<T>(&self, items: Vec<T>, last: Option<String>) -> Page<T> {
        let next = last.map(|last| self.list.cursor(&last));
        let link = next.as_deref().map(|next| self.list.address(self.limit, next));
        Page { items, next, link }
    }
}

/// A page of a list.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// The cursor of the next page, when there is one.
    pub(crate) next: Option<String>,
    link: Option<String>,
}

impl<T> Page<T> {
    /// The same page with its items as they are answered.
    pub(crate) fn map<U>(self, answer: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(answer).collect(), next: self.next, link: self.link }
    }

    /// An answer with the address of the next page in its head.
    pub(crate) fn linked(link: Option<String>, mut response: Response) -> Response {
        let link = link.and_then(|link| HeaderValue::try_from(format!("<{link}>; rel=\"next\"")).ok());
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }

    /// The address of the next page.
    pub(crate) fn link(&self) -> Option<String> {
        self.link.clone()
    }
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        Self::linked(self.link, Json(self.items).into_response())
    }
}

fn not_of_this_list() -> String {
    "The cursor is not of this list: use the one of its page before, with the same filter.".to_owned()
}

impl List {
    fn cursor(&self, position: &str) -> String {
        let mut bytes = self.mark(position);
        bytes.extend_from_slice(position.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Where a cursor of this list points; `None` for any other text.
    fn position(&self, cursor: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (mark, position) = bytes.split_at_checked(MARK_BYTES)?;
        let position = std::str::from_utf8(position).ok()?;
        (self.mark(position) == mark).then(|| position.to_owned())
    }

    fn mark(&self, position: &str) -> Vec<u8> {
        let mut hash = blake3::Hasher::new();
        let parts = [self.tenant.to_string(), self.path.clone()];
        let filter = self.filter.iter().flat_map(|(name, value)| [name.clone(), value.clone()]);
        for part in parts.into_iter().chain(filter).chain([position.to_owned()]) {
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().as_bytes()[..MARK_BYTES].to_vec()
    }

    fn address(&self, limit: usize, cursor: &str) -> String {
        let mut query = self.filter.clone();
        query.push(("limit".to_owned(), limit.to_string()));
        query.push(("cursor".to_owned(), cursor.to_owned()));
        let query = serde_urlencoded::to_string(&query).unwrap_or_default();
        format!("{}?{query}", self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(number: u128) -> TenantId {
        format!("00000000-0000-7000-8000-{number:012}").parse().expect("an id")
    }

    fn read(number: u128, address: &str) -> Result<Paging, String> {
        Paging::read(tenant(number), &address.parse().expect("an address"), ITEMS)
    }

    #[test]
    fn control_26_a_cursor_is_of_one_tenant_list_and_filter() {
        let first = read(1, "/api/v1/audit?limit=2&action=a").expect("it is whole");
        let link = first.page(vec![5, 4], Some("4".to_owned())).link().expect("more follow");
        let next = read(1, &link).expect("it is of this list");
        assert_eq!((next.after(), next.limit()), (Some("4"), 2));
        assert!(read(2, &link).is_err(), "another tenant's");
        assert!(read(1, &link.replace("/audit", "/jobs")).is_err(), "another list's");
        assert!(read(1, &link.replace("action=a", "action=b")).is_err(), "another filter's");
        assert!(read(1, &link.replace("limit=2", "limit=9")).is_ok(), "pages may differ in length");
        let cursor = link.rsplit('=').next().expect("a cursor");
        let other = if cursor.ends_with('A') { "B" } else { "A" };
        let changed = format!("{}{other}", &link[..link.len() - 1]);
        assert!(read(1, &changed).is_err(), "one letter was changed");
        for bad in ["", "x", "%00", "not-a-cursor", "Zm9vYmFyYmF6cXV4"] {
            assert!(read(1, &format!("/api/v1/audit?cursor={bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_limit_is_a_number_of_one_or_more() {
        for bad in ["0", "-1", "many", ""] {
            assert!(read(1, &format!("/api/v1/audit?limit={bad}")).is_err(), "{bad}");
        }
        assert_eq!(read(1, "/a?limit=100000").expect("it is shortened").limit(), ITEMS.1);
        assert_eq!(read(1, "/a").expect("it is the usual one").limit(), ITEMS.0);
    }
}

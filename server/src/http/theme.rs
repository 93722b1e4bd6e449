//! Light or dark, without a script.

use axum::extract::Query;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use frontend::view::Theme;
use serde::Deserialize;

use super::caller::cookie;

const COOKIE: &str = "cairn_theme";

/// What the switch says.
#[derive(Debug, Deserialize)]
pub(crate) struct Switch {
    to: String,
    #[serde(default)]
    back: String,
}

/// `GET /theme`: remembers the choice and goes back.
pub(crate) async fn theme(Query(switch): Query<Switch>) -> Response {
    let theme = Theme::from_name(&switch.to).unwrap_or_default();
    let cookie = format!("{COOKIE}={}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax", theme.name());
    ([(header::SET_COOKIE, cookie)], Redirect::to(own_path(&switch.back))).into_response()
}

/// The theme that the reader chose.
pub(crate) fn chosen(headers: &HeaderMap) -> Theme {
    cookie(headers, COOKIE).and_then(|name| Theme::from_name(&name)).unwrap_or_default()
}

/// A path of this server; anything that could lead elsewhere leads home.
pub(crate) fn own_path(path: &str) -> &str {
    let own = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && !path.chars().any(char::is_control);
    if own { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_server_are_gone_back_to() {
        assert_eq!(own_path("/studies?a=b"), "/studies?a=b");
        for elsewhere in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "",
            "/a\r\nSet-Cookie: x",
            "/\t/evil.example",
        ] {
            assert_eq!(own_path(elsewhere), "/", "{elsewhere:?}");
        }
    }
}

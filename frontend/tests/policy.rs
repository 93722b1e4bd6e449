//! Every page holds under `default-src 'none'; script-src 'self'; style-src 'self'`, and is whole without
//! a script.

use frontend::view::Theme;

use crate::pages::all;

#[test]
fn no_page_carries_a_script_or_style_of_its_own() {
    for (name, html) in all(Theme::System) {
        assert!(!html.contains(" style="), "{name} has an inline style");
        assert!(!html.contains("<style"), "{name} has a style element");
        assert!(!html.contains("javascript:"), "{name} has a script address");
        for handler in [" onclick=", " onload=", " onchange=", " onsubmit="] {
            assert!(!html.contains(handler), "{name} has an inline handler");
        }
        for script in html.split("<script").skip(1) {
            let tag = script.split('>').next().unwrap_or_default();
            let data = tag.contains("type=\"application/json\"");
            assert!(data || tag.contains("src=\"/assets/"), "{name} has an inline script");
        }
    }
}

#[test]
fn every_page_names_only_assets_that_exist() {
    for (name, html) in all(Theme::System) {
        let named = html.split("=\"/assets/").skip(1).map(|rest| rest.split('"').next().unwrap_or_default());
        for path in named.map(|path| format!("/assets/{path}")) {
            assert!(frontend::assets().iter().any(|asset| asset.path == path), "{name} names `{path}`");
        }
    }
}

#[test]
fn scripts_are_loaded_only_where_there_are_figures() {
    for (name, html) in all(Theme::System) {
        let figures = html.contains("data-figure=");
        assert_eq!(html.contains("/assets/plotly-"), figures, "{name}");
    }
}

#[test]
fn every_page_has_one_first_heading_and_its_landmarks() {
    for (name, html) in all(Theme::System) {
        assert_eq!(html.matches("<h1").count(), 1, "{name}");
        for landmark in ["<header", "<main id=\"content\"", "<footer", "lang=\"en\"", "class=\"skip\""] {
            assert!(html.contains(landmark), "{name} has no `{landmark}`");
        }
    }
}

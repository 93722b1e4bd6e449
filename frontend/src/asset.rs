//! Files that pages load, embedded in the program. Their addresses carry a hash of their content, so that
//! a browser may keep them for ever.

use std::sync::LazyLock;

/// One embedded file.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Its name in the sources: `cairn.css`.
    pub name: &'static str,
    /// Its address: `/assets/cairn-0123456789abcdef.css`.
    pub path: String,
    /// Its media type.
    pub content_type: &'static str,
    /// Its content.
    pub bytes: &'static [u8],
    /// The hash of its content, in hexadecimal; also fit as an entity tag.
    pub content_hash: String,
}

/// Every file that pages load.
#[must_use]
pub fn assets() -> &'static [Asset] {
    &ASSETS
}

/// The address of a file by its name.
pub(crate) fn url(name: &str) -> String {
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    asset.map(|asset| asset.path.clone()).expect("a page names only files that are embedded")
}

const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const TEXT: &str = "text/plain; charset=utf-8";

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    vec![
        asset("cairn.css", CSS, include_bytes!("../assets/cairn.css")),
        asset("cairn.js", JAVASCRIPT, include_bytes!("../assets/cairn.js")),
        asset("cairn.svg", SVG, include_bytes!("../assets/cairn.svg")),
        asset("jobs.js", JAVASCRIPT, include_bytes!("../assets/jobs.js")),
        asset("plotly.css", CSS, include_bytes!("../assets/plotly.css")),
        asset("plotly.js", JAVASCRIPT, include_bytes!("../assets/plotly-cartesian-4.1.1.min.js")),
        asset("plotly.LICENSE.txt", TEXT, include_bytes!("../assets/plotly-cartesian-4.1.1.LICENSE.txt")),
    ]
});

fn asset(name: &'static str, content_type: &'static str, bytes: &'static [u8]) -> Asset {
    let content_hash = format!("{:016x}", fnv_1a(bytes));
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let path = format!("/assets/{stem}-{content_hash}.{extension}");
    Asset { name, path, content_type, bytes, content_hash }
}

// Source: Fowler, Noll, Vo, FNV-1a with 64 bits. It tells versions of our own files apart; it is no seal.
fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Vectors from the authors' own test program: "" and "foobar".
    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(fnv_1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv_1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn every_address_carries_its_content_and_its_kind() {
        for asset in assets() {
            assert!(asset.path.contains(&asset.content_hash), "{}", asset.path);
            assert_eq!(asset.path.rsplit('.').next(), asset.name.rsplit('.').next());
            assert!(asset.bytes.len() < 2_000_000, "{} is too large", asset.name);
        }
    }

    #[test]
    fn the_style_sheet_loads_nothing_from_elsewhere() {
        for asset in assets().iter().filter(|asset| asset.content_type == CSS) {
            let text = String::from_utf8_lossy(asset.bytes);
            assert!(!text.contains("http") && !text.contains("@import"), "{}", asset.name);
        }
    }
}

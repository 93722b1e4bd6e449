//! How tables and marts hang together, as a drawing: what is read stands left of what reads it. Decoration: the same
//! stands in the table below it.

use std::collections::BTreeMap;

use leptos::prelude::*;

use crate::view::MartRow;

const COLUMN: usize = 270;
const ROW: usize = 34;
const BOX: (usize, usize) = (200, 24);

/// Where a table stands: from the left, and from above.
type Place = (usize, usize);

/// The drawing.
pub(crate) fn mart_graph(marts: &[MartRow]) -> AnyView {
    let places = places(marts);
    let columns = places.values().map(|place| place.0 + 1).max().unwrap_or(1);
    let rows = places.values().map(|place| place.1 + 1).max().unwrap_or(1);
    let size = format!("0 0 {} {}", columns * COLUMN - (COLUMN - BOX.0) + 2, rows * ROW);
    let edges = marts.iter().flat_map(|mart| {
        let to = places.get(mart.name.as_str()).copied();
        let from = mart.reads.iter().filter_map(|input| places.get(input.as_str()).copied());
        from.filter_map(move |from| Some(edge(from, to?))).collect::<Vec<_>>()
    });
    let by_name: BTreeMap<&str, &MartRow> = marts.iter().map(|mart| (mart.name.as_str(), mart)).collect();
    let boxes = places.iter().map(|(name, place)| table_box(name, *place, by_name.get(name).copied()));
    view! {
        <div class="scroll" role="region" tabindex="0" aria-label="Which mart reads which table">
            <svg class="mart-graph" viewBox=size role="img" aria-label="Which mart reads which table; the table below says the same">
                {edges.collect_view()}
                {boxes.collect_view()}
            </svg>
        </div>
    }
    .into_any()
}

/// Tables that are no marts stand at the left; a mart stands right of everything that it reads.
fn places(marts: &[MartRow]) -> BTreeMap<&str, Place> {
    let mut depths: BTreeMap<&str, usize> = BTreeMap::new();
    for mart in marts {
        for input in &mart.reads {
            depths.entry(input).or_insert(0);
        }
        let deepest = mart.reads.iter().filter_map(|input| depths.get(input.as_str())).max();
        let depth = deepest.map_or(1, |depth| depth + 1);
        depths.insert(&mart.name, depth);
    }
    let mut heights: BTreeMap<usize, usize> = BTreeMap::new();
    let mut places = BTreeMap::new();
    for (name, depth) in depths {
        let height = heights.entry(depth).or_insert(0);
        places.insert(name, (depth, *height));
        *height += 1;
    }
    places
}

fn edge(from: Place, to: Place) -> AnyView {
    let (x1, y1) = (from.0 * COLUMN + BOX.0 + 1, from.1 * ROW + ROW / 2);
    let (x2, y2) = (to.0 * COLUMN + 1, to.1 * ROW + ROW / 2);
    let middle = x1.midpoint(x2);
    view! { <path class="edge" d=format!("M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}")></path> }
        .into_any()
}

fn table_box(name: &str, (column, row): Place, mart: Option<&MartRow>) -> AnyView {
    let class = match mart.map(|mart| mart.outcome.as_deref()) {
        None => "node",
        Some(Some("failed")) => "node mart failed",
        Some(_) => "node mart",
    };
    let (x, y) = (column * COLUMN + 1, row * ROW + (ROW - BOX.1) / 2);
    let drawn = view! {
        <g class=class>
            <rect x=x y=y width=BOX.0 height=BOX.1 rx="5"></rect>
            <text x=x + 9 y=y + 16>{name.to_owned()}</text>
        </g>
    };
    match mart {
        None => drawn.into_any(),
        Some(mart) => view! { <a href=mart.href.clone()>{drawn}</a> }.into_any(),
    }
}

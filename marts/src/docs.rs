//! Pages about the marts, written from their declarations: what one row is, who answers for it, what each column means
//! and comes from, and what must hold.

use std::fmt::Write as _;

use crate::lineage::lineage;
use crate::mart::{Definition, Mart};

/// All marts on one page of Markdown.
#[must_use]
pub fn markdown(graph: &'static [Mart]) -> String {
    let mut page =
        "# The marts\n\nWritten by `cairn marts docs` from the declarations in `marts/src/registry`.\n\n\
        ```mermaid\nflowchart LR\n"
            .to_owned();
    for mart in graph {
        for input in mart.inputs {
            line(&mut page, format_args!("  {input} --> {}", mart.name));
        }
    }
    page.push_str("```\n\n| mart | one row is | tags | owner |\n|---|---|---|---|\n");
    for mart in graph {
        let (name, grain) = (mart.name, cell(mart.grain.trim_start_matches("one row per ")));
        line(
            &mut page,
            format_args!("| [`{name}`](#{name}) | {grain} | {} | {} |", mart.tags.join(", "), mart.owner),
        );
    }
    for mart in graph {
        markdown_of(&mut page, graph, mart);
    }
    page
}

fn markdown_of(page: &mut String, graph: &'static [Mart], mart: &Mart) {
    line(page, format_args!("\n## {}\n\n{}\n", mart.name, mart.description));
    for (name, text) in facts(mart) {
        line(page, format_args!("- {name}: {text}"));
    }
    page.push_str("\n| column | meaning | from | from canon |\n|---|---|---|---|\n");
    for column in mart.columns {
        let codes = |names: Vec<String>| {
            names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        };
        let from = codes(column.from.iter().map(|from| (*from).to_owned()).collect());
        let canon = codes(canon(graph, mart, column.name));
        line(page, format_args!("| `{}` | {} | {from} | {canon} |", column.name, cell(column.description)));
    }
    page.push_str("\nWhat must hold:\n\n");
    for (severity, words) in tests(mart) {
        line(page, format_args!("- {words} ({severity})"));
    }
}

/// All marts on one page of HTML that loads nothing.
#[must_use]
pub fn html(graph: &'static [Mart]) -> String {
    let mut page = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Marts</title><style>\
        body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}\
        table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid #ccd;padding:.3rem .6rem;text-align:left;\
        vertical-align:top}code{font-size:.93em}</style></head><body>\n<h1>Marts</h1>\n"
        .to_owned();
    page.push_str(
        "<table><tr><th>Mart</th><th>One row is</th><th>Reads</th><th>Tags</th><th>Owner</th></tr>\n",
    );
    for mart in graph {
        let (name, reads) = (mart.name, mart.inputs.join(", "));
        let (grain, tags) = (escaped(mart.grain), mart.tags.join(", "));
        line(
            &mut page,
            format_args!(
                "<tr><td><a href=\"#{name}\"><code>{name}</code></a></td><td>{grain}</td><td>{reads}</td><td>{tags}</td>\
                 <td>{}</td></tr>",
                escaped(mart.owner)
            ),
        );
    }
    page.push_str("</table>\n");
    for mart in graph {
        html_of(&mut page, graph, mart);
    }
    page.push_str("</body></html>\n");
    page
}

fn html_of(page: &mut String, graph: &'static [Mart], mart: &Mart) {
    let (name, description) = (mart.name, escaped(mart.description));
    line(page, format_args!("<h2 id=\"{name}\"><code>{name}</code></h2>\n<p>{description}</p>\n<ul>"));
    for (name, text) in facts(mart) {
        line(page, format_args!("<li>{name}: {}</li>", escaped(&text)));
    }
    page.push_str("</ul>\n<table><tr><th>Column</th><th>Meaning</th><th>From</th><th>From canon</th></tr>\n");
    for column in mart.columns {
        let (from, canon) = (column.from.join(", "), canon(graph, mart, column.name).join(", "));
        let description = escaped(column.description);
        line(
            page,
            format_args!(
                "<tr><td><code>{}</code></td><td>{description}</td><td>{from}</td><td>{canon}</td></tr>",
                column.name
            ),
        );
    }
    page.push_str("</table>\n<p>What must hold:</p>\n<ul>\n");
    for (severity, words) in tests(mart) {
        line(page, format_args!("<li>{} ({severity})</li>", escaped(&words)));
    }
    page.push_str("</ul>\n");
}

fn facts(mart: &Mart) -> [(&'static str, String); 6] {
    let made = match mart.definition {
        Definition::Sql(_) => "a query".to_owned(),
        Definition::Rust(_, revision, _) => format!("a function, revision {revision}"),
        Definition::Native(_, _, revision) => {
            format!("a function that gives the rows of a query, revision {revision}")
        }
    };
    [
        ("grain", mart.grain.to_owned()),
        ("key", mart.key.join(", ")),
        ("reads", mart.inputs.join(", ")),
        ("made by", made),
        ("tags", mart.tags.join(", ")),
        ("owner", mart.owner.to_owned()),
    ]
}

fn tests(mart: &Mart) -> Vec<(&'static str, String)> {
    let key = ("error", format!("{} is unique and not null", mart.key.join(", ")));
    let declared = mart.tests.iter().map(|test| (test.severity.name(), test.words()));
    std::iter::once(key).chain(declared).collect()
}

/// The columns of canon that a column comes from in the end.
fn canon(graph: &'static [Mart], mart: &Mart, column: &str) -> Vec<String> {
    let source = lineage(graph, &format!("{}.{column}", mart.name));
    let canon = source.map(|source| source.canon()).unwrap_or_default();
    canon
        .into_iter()
        .map(|(entity, column)| column.map_or_else(|| entity.clone(), |column| format!("{entity}.{column}")))
        .collect()
}

/// Writing into a text cannot fail.
fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = writeln!(page, "{text}");
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests_of_pages {
    use super::*;
    use crate::MARTS;

    // Written anew with `cairn marts docs --out docs`.
    #[test]
    fn the_page_in_the_repository_is_what_the_declarations_say() {
        let page = include_str!("../../docs/marts-catalogue.md");
        assert!(
            page == markdown(MARTS),
            "write it anew: cargo run -- marts docs --out docs --format markdown"
        );
    }

    #[test]
    fn every_mart_and_column_is_on_both_pages() {
        let pages = [markdown(MARTS), html(MARTS)];
        for page in pages {
            for mart in MARTS {
                assert!(page.contains(mart.name) && page.contains(mart.owner), "{}", mart.name);
                for column in mart.columns {
                    assert!(page.contains(column.name), "{}.{}", mart.name, column.name);
                }
            }
        }
    }

    #[test]
    fn what_reads_like_markup_is_text() {
        assert_eq!(escaped("a < b & \"c\""), "a &lt; b &amp; &quot;c&quot;");
    }
}

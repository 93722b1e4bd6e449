//! `cairn marts docs`.

use std::path::Path;

use clap::ValueEnum;
use marts::MARTS;
use marts::docs::{html, markdown};

use crate::cli::say::say;
use crate::error::{Failure, Result};

/// How the pages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Markdown,
    Html,
}

const NAME: &str = "marts-catalogue";

pub(crate) fn run(out: Option<&Path>, formats: &[Format]) -> Result<()> {
    let formats = if formats.is_empty() { &[Format::Markdown, Format::Html] } else { formats };
    let Some(folder) = out else {
        let page = if formats[0] == Format::Html { html(MARTS) } else { markdown(MARTS) };
        page.lines().for_each(|line| say!("{line}"));
        return Ok(());
    };
    std::fs::create_dir_all(folder).map_err(Failure::io("make the folder of the pages"))?;
    for format in formats {
        let (suffix, page) = match format {
            Format::Markdown => ("md", markdown(MARTS)),
            Format::Html => ("html", html(MARTS)),
        };
        let file = folder.join(format!("{NAME}.{suffix}"));
        std::fs::write(&file, page).map_err(Failure::io("write a page of the marts"))?;
        say!("{}", file.display());
    }
    Ok(())
}

//! `cairn marts lineage`: from a mart's column to the delivered files.

use marts::MARTS;
use marts::lineage::{Source, lineage};

use crate::app::App;
use crate::cli::engineer::Place;
use crate::cli::say::say;
use crate::error::Result;
use crate::work;
use crate::work::file_lineage::{FileSource, files_of};

pub(super) async fn run(app: &App, place: &Place, of: &str, deliveries: usize) -> Result<()> {
    let source = lineage(MARTS, of)?;
    let scope = place.operator(app).await?.scope.to_read();
    let receipts = work::receipts(app, &scope).await?;
    print(&source, 0);
    say!("");
    for (entity, column) in source.canon() {
        let name = column.as_ref().map_or_else(|| entity.clone(), |column| format!("{entity}.{column}"));
        let files = files_of(&receipts, &entity, column.as_deref());
        if files.is_empty() {
            say!("{name}: no delivery has it");
            continue;
        }
        say!("{name}:");
        for file in files.iter().take(deliveries) {
            print_file(file);
        }
        if files.len() > deliveries {
            say!("  and {} earlier ones", files.len() - deliveries);
        }
    }
    Ok(())
}

fn print(source: &Source, depth: usize) {
    let about = source.about.map_or_else(String::new, |about| format!(": {about}"));
    say!("{}{}{about}", "  ".repeat(depth), source.name());
    for from in &source.from {
        print(from, depth + 1);
    }
}

fn print_file(file: &FileSource) {
    let columns = match &file.columns {
        None => format!("by mapping `{}`, which is not shipped", file.mapping),
        Some(columns) if columns.is_empty() => "no column of it".to_owned(),
        Some(columns) => format!("column {}", columns.join(", ")),
    };
    say!(
        "  {} ({columns}), {} rows, received {}, batch {}",
        file.file,
        file.rows,
        file.received_at,
        file.batch
    );
    say!("    {}", file.raw_key);
}

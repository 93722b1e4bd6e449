//! Values that a row needs from another dataset of the same delivery: a subject's id by its screening
//! number, the reference date that study days count from.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};

use super::files::Landed;
use crate::Result;
use crate::mapping::expression::{Context, LookupTable, column_of};
use crate::mapping::{Lookup, Mapping};

/// Reads every lookup of the mapping whose dataset was delivered.
pub(super) fn context<'a>(mapping: &'a Mapping, landed: &[Landed]) -> Result<Context<'a>> {
    let mut lookups = BTreeMap::new();
    for lookup in &mapping.lookups {
        let mut table = LookupTable::default();
        for file in landed.iter().filter(|file| lookup.knows(&file.dataset.name)) {
            read(lookup, file, &mut table)?;
        }
        lookups.insert(lookup.name.as_str(), (lookup, table));
    }
    Ok(Context { lookups })
}

fn read(lookup: &Lookup, file: &Landed, table: &mut LookupTable) -> Result<()> {
    let mut source = formats::open(&file.path, &file.dataset)?;
    while let Some(batch) = source.next_batch()? {
        let keys = column_of(&batch, &lookup.key);
        let given: Vec<_> = lookup.give.iter().map(|column| column_of(&batch, column)).collect();
        for (row, key) in keys.as_string::<i32>().iter().enumerate() {
            let Some(key) = key else { continue };
            let value = |column: &arrow::array::ArrayRef| {
                let texts = column.as_string::<i32>();
                (!texts.is_null(row)).then(|| texts.value(row).to_owned())
            };
            table.rows.entry(key.to_owned()).or_insert_with(|| given.iter().map(value).collect());
        }
    }
    Ok(())
}

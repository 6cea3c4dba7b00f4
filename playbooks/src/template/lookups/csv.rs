//! Tables of texts, as spreadsheets write them.

/// All rows, as Python's `csv` reads them; lines without anything are left out.
pub(in crate::template) fn rows(text: &str, delimiter: u8) -> Result<Vec<Vec<String>>, String> {
    let reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    reader
        .into_records()
        .map(|row| {
            let row = row.map_err(|error| error.to_string())?;
            Ok(row.iter().map(str::to_owned).collect())
        })
        .collect()
}

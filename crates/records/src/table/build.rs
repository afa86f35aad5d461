use crate::{RecordsError, RunRecord, Store, Table};
pub(super) fn table(_records: &[RunRecord], _store: Option<&Store>) -> Result<Table, RecordsError> {
    Ok(Table { sections: vec![] })
}

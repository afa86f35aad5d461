use crate::Table;
pub(super) fn terminal(_table: &Table) -> String {
    String::new()
}
pub(super) fn markdown(_table: &Table) -> String {
    String::new()
}
pub(super) fn csv(_table: &Table) -> String {
    String::new()
}
pub(super) fn json(_table: &Table) -> String {
    String::new()
}

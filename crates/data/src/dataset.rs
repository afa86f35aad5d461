//! Stand-in until the cards are here.
use serde::Serialize;
/// A card.
#[derive(Clone, Debug, Serialize)]
pub struct DatasetCard {
    /// Name.
    pub name: String,
    /// Title.
    pub title: String,
    /// Tasks.
    pub tasks: Vec<String>,
    /// Licence.
    pub licence: String,
    /// Access.
    pub access: String,
}
impl DatasetCard {
    /// Heads.
    pub fn heads(&self, _task: &str) -> Vec<String> {
        if self.name == "orders" { ["coffeeDrink", "roast", "size", "numberOfShots"].map(str::to_owned).into() } else { Vec::new() }
    }
}
/// All.
pub fn datasets() -> Vec<DatasetCard> {
    vec![DatasetCard { name: "orders".into(), title: String::new(), tasks: vec![], licence: String::new(), access: String::new() }]
}
/// One.
pub fn dataset(name: &str) -> Option<DatasetCard> {
    datasets().into_iter().find(|card| card.name == name)
}

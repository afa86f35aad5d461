//! What the methods that work site by site share.

use std::collections::BTreeMap;

use sure_nn::{Anatomy, Loader, NnError, Patch, PerSite, Placement, SiteSpec};

use crate::Built;

/// One patch at each site of `placement`, with its parameters under the site's name.
pub(crate) fn at_sites<P: Patch + Send + 'static>(
    anatomy: &Anatomy,
    placement: &Placement,
    loader: &Loader,
    make: impl Fn(&Loader, SiteSpec) -> Result<P, NnError>,
) -> Result<Built, NnError> {
    let mut patches = BTreeMap::new();
    for spec in anatomy.resolve(placement)? {
        patches.insert(spec.site, make(&loader.at(spec.site), spec)?);
    }
    let sites = patches.keys().copied().collect();
    Ok(Built::new(PerSite::new(patches), sites))
}

/// An error unless `value` is at least 1.
pub(crate) fn positive(key: &'static str, value: i64) -> Result<i64, NnError> {
    if value < 1 {
        let reason = "must be at least 1".to_owned();
        return Err(NnError::Config { key, value: value.to_string(), reason });
    }
    Ok(value)
}

//! What every method that puts trainable modules into a backbone can do.

use sure_nn::{Adapter, Anatomy, Loader, NnError, Site};

use crate::AdapterConfig;

/// Declares the methods: for each its module, what the module exports, and its variant of [`AdapterConfig`].
macro_rules! methods {
    ($($(#[$attribute:meta])* $module:ident => $variant:ident($config:ident $(, $also:ident)*),)+) => {
        $(
            mod $module;
            pub use $module::{$config $(, $also)*};
        )+

        /// A method with its configuration, externally tagged: `[adapter.lora]` in a run file.
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum AdapterConfig {
            $($(#[$attribute])* $variant($config),)+
        }

        impl AdapterConfig {
            fn method(&self) -> &dyn $crate::method::Method {
                match self {
                    $(Self::$variant(config) => config,)+
                }
            }

            fn method_mut(&mut self) -> &mut dyn $crate::method::Method {
                match self {
                    $(Self::$variant(config) => config,)+
                }
            }
        }
    };
}
pub(crate) use methods;

/// A method, built for one backbone.
#[derive(Debug)]
pub struct Built {
    /// What acts inside the backbone.
    pub adapter: Box<dyn Adapter + Send>,
    /// The sites where it acts.
    pub sites: Vec<Site>,
    /// Names of parameters that exist, and count, and take no part in any forward pass.
    pub unused: Vec<String>,
}

impl Built {
    /// An adapter all of whose parameters take part.
    pub fn new(adapter: impl Adapter + Send + 'static, sites: Vec<Site>) -> Self {
        Self { adapter: Box::new(adapter), sites, unused: Vec::new() }
    }
}

/// What a method's configuration can do; each method implements it in its own file.
pub(crate) trait Method {
    /// Builds the modules for the backbone that `anatomy` describes, with parameters from `loader`.
    fn build(&self, anatomy: &Anatomy, loader: &Loader) -> Result<Built, NnError>;

    /// The number of parameters by the published formula.
    fn declared_count(&self, anatomy: &Anatomy) -> Result<u64, NnError>;

    /// Whether a fresh adapter leaves the backbone's answer as it is.
    fn identity_at_start(&self) -> bool {
        false
    }

    /// Sets the frames of a clip, where the size depends on them.
    fn set_frames(&mut self, frames: i64) {
        let _ = frames;
    }
}

impl AdapterConfig {
    /// The same method for clips of `frames` frames, where its size depends on them.
    #[must_use]
    pub fn with_frames(self, frames: i64) -> Self {
        let mut method = self;
        method.method_mut().set_frames(frames);
        method
    }

    /// Builds the method's modules for the backbone that `anatomy` describes, with parameters from `loader`.
    ///
    /// # Errors
    /// When the placement does not fit the backbone, a value makes no sense, or a parameter cannot be had.
    pub fn build(&self, anatomy: &Anatomy, loader: &Loader) -> Result<Built, NnError> {
        self.method().build(anatomy, loader)
    }

    /// The number of trainable parameters by the method's published formula, independent of what [`Self::build`] made.
    ///
    /// # Errors
    /// When the placement does not fit the backbone.
    pub fn declared_count(&self, anatomy: &Anatomy) -> Result<u64, NnError> {
        self.method().declared_count(anatomy)
    }

    /// Whether a fresh adapter leaves the backbone's answer as it is.
    pub fn identity_at_start(&self) -> bool {
        self.method().identity_at_start()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use sure_nn::{
        Blocks, ConvShape, Loading, NormOrder, Part, Placement, Source, StackAnatomy, tch::Device,
    };

    use super::*;

    /// The measures of a backbone.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Measures {
        blocks: usize,
        hidden: i64,
        heads: i64,
        inner: i64,
    }

    /// wav2vec2-large.
    pub(crate) const LARGE: Measures = Measures { blocks: 24, hidden: 1024, heads: 16, inner: 4096 };
    /// wav2vec2-base.
    pub(crate) const BASE: Measures = Measures { blocks: 12, hidden: 768, heads: 12, inner: 3072 };

    impl Measures {
        pub(crate) fn anatomy(self) -> Anatomy {
            let kernels = [(10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2)];
            let channels = |layer: usize| (if layer == 0 { 1 } else { 512 }, 512);
            let front_end = kernels.iter().enumerate();
            Anatomy {
                front_end: front_end
                    .map(|(layer, &(k, s))| ConvShape::valid(channels(layer), k, s))
                    .collect(),
                stacks: vec![StackAnatomy::of_encoder_blocks(
                    self.blocks,
                    self.hidden,
                    self.heads,
                    self.inner,
                    NormOrder::Pre,
                )],
            }
        }
    }

    pub(crate) fn at_blocks() -> Placement {
        Placement { parts: vec![Part::Block], blocks: Blocks::All }
    }

    /// What the formula declares, once it equals what is built.
    pub(crate) fn counts(config: &dyn Method, measures: Measures) -> u64 {
        let anatomy = measures.anatomy();
        let loading = Loading::trainable(Source::Blank, Device::Cpu);
        config.build(&anatomy, &loading.root()).unwrap();
        let declared = config.declared_count(&anatomy).unwrap();
        assert_eq!(loading.finish(|_| false).unwrap().count(), declared);
        declared
    }
}

//! Low-rank adaptation (Hu et al. 2021, arXiv 2106.09685), as the SURE paper uses it: `y = W x + b + alpha/r B A x`.
//!
//! `A` `[rank, in_dim]` starts Kaiming-uniform with `a = sqrt(5)`, `B` `[out_dim, rank]` at zero, so a fresh adapter
//! changes nothing. There is no dropout. The paper's `rank = 8, alpha = 1` gives a scale of 1/8, hidden in its code's
//! defaults and spelled out in our presets.

use serde::{Deserialize, Serialize};
use sure_nn::{
    Anatomy, Cx, Init, Loader, NnError, Patch, Placement, Role, SiteSpec,
    tch::{Kind, Tensor},
};

use crate::{Built, Method, at_sites, positive};

/// Configuration of LoRA.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoraConfig {
    /// Rank of the update.
    pub rank: i64,
    /// The update is scaled by `alpha / rank`.
    pub alpha: f64,
    /// Which linear maps get an update.
    pub placement: Placement,
}

impl Method for LoraConfig {
    fn build(&self, anatomy: &Anatomy, loader: &Loader) -> Result<Built, NnError> {
        positive("rank", self.rank)?;
        at_sites(anatomy, &self.placement, loader, |loader, spec| Lora::new(loader, self, spec))
    }

    fn declared_count(&self, anatomy: &Anatomy) -> Result<u64, NnError> {
        let sites = anatomy.resolve(&self.placement)?;
        Ok(sites.iter().map(|spec| (self.rank * (spec.in_dim + spec.out_dim)) as u64).sum())
    }

    fn identity_at_start(&self) -> bool {
        true
    }
}

/// The update of one linear map.
#[derive(Debug)]
pub struct Lora {
    a: Tensor,
    b: Tensor,
    scale: f64,
}

impl Lora {
    /// `lora_a` `[rank, in_dim]` and `lora_b` `[out_dim, rank]` at `loader`.
    ///
    /// # Errors
    /// As [`Loader::param`].
    pub fn new(loader: &Loader, config: &LoraConfig, spec: SiteSpec) -> Result<Self, NnError> {
        let shape_a = [config.rank, spec.in_dim];
        let shape_b = [spec.out_dim, config.rank];
        Ok(Self {
            a: loader.param("lora_a", &shape_a, Role::Weight, Init::fan_in(spec.in_dim))?,
            b: loader.param("lora_b", &shape_b, Role::Weight, Init::Zeros)?,
            scale: config.alpha / config.rank as f64,
        })
    }
}

impl Patch for Lora {
    fn patch(&self, x: &Tensor, y: Tensor, cx: &Cx) -> Tensor {
        let kind = y.kind();
        let (x, a, b) = (x.to_kind(cx.compute), self.a.to_kind(cx.compute), self.b.to_kind(cx.compute));
        let none = None::<&Tensor>;
        // The scale goes onto the narrow side, where it costs the least.
        y + (x.linear(&a, none) * self.scale).linear(&b, none).to_kind(kind)
    }

    fn weight_delta(&self) -> Option<Tensor> {
        Some(self.b.detach().to_kind(Kind::Float).matmul(&self.a.detach().to_kind(Kind::Float)) * self.scale)
    }
}

#[cfg(test)]
mod tests {
    use sure_nn::{
        Blocks, Loading, NormOrder, Part, Seed, Source, StackAnatomy,
        tch::{Device, Kind},
    };

    use super::*;

    fn config() -> LoraConfig {
        let parts = vec![Part::Query, Part::Key, Part::Value, Part::Out, Part::Up, Part::Down];
        LoraConfig { rank: 8, alpha: 1.0, placement: Placement { parts, blocks: Blocks::All } }
    }

    fn anatomy(blocks: usize, hidden: i64, heads: i64, inner: i64) -> Anatomy {
        let order = NormOrder::Pre;
        Anatomy {
            front_end: Vec::new(),
            stacks: vec![StackAnatomy::of_encoder_blocks(blocks, hidden, heads, inner, order)],
        }
    }

    #[test]
    fn the_counts_are_the_papers() {
        // wav2vec2-large: 3,538,944; wav2vec2-base: 1,327,104 (spec of the benchmark, logged by its authors).
        for (anatomy, count) in
            [(anatomy(24, 1024, 16, 4096), 3_538_944), (anatomy(12, 768, 12, 3072), 1_327_104)]
        {
            assert_eq!(config().declared_count(&anatomy).unwrap(), count);
            let loading = Loading::trainable(Source::Blank, Device::Cpu);
            config().build(&anatomy, &loading.root()).unwrap();
            assert_eq!(loading.finish(|_| false).unwrap().count(), count);
        }
    }

    #[test]
    fn a_fresh_patch_is_the_identity_and_a_moved_one_equals_its_weight_delta() {
        let loading = Loading::trainable(Source::Init(Seed::new(1)), Device::Cpu);
        let spec = anatomy(1, 8, 2, 16).resolve(&config().placement).unwrap()[4];
        let lora = Lora::new(&loading.root(), &config(), spec).unwrap();
        let x = Tensor::arange(24, (Kind::Float, Device::Cpu)).view([1, 3, 8]).sin();
        let y = Tensor::zeros([1, 3, 16], (Kind::Float, Device::Cpu));
        assert!(lora.patch(&x, y.copy(), &Cx::eval()).equal(&y));
        let _guard = sure_nn::tch::no_grad_guard();
        lora.b.shallow_clone().copy_(&Tensor::arange(128, (Kind::Float, Device::Cpu)).view([16, 8]).cos());
        let patched = lora.patch(&x, y, &Cx::eval());
        let merged = x.linear(&lora.weight_delta().unwrap(), None::<&Tensor>);
        assert!(f64::try_from((patched - merged).abs().max()).unwrap() < 1e-6);
    }

    #[test]
    fn a_rank_of_zero_is_refused_by_name() {
        let loading = Loading::trainable(Source::Blank, Device::Cpu);
        let error =
            LoraConfig { rank: 0, ..config() }.build(&anatomy(1, 8, 2, 16), &loading.root()).unwrap_err();
        assert!(error.to_string().contains("rank"), "{error}");
    }
}

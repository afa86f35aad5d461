//! What says which cluster a frame belongs to (Hsu et al. 2021, equation 3), and its loss (equation 1).

use sure_nn::{
    Dense, Init, Loader, NnError, Role,
    tch::{Kind, Reduction, Tensor},
};

/// A projection of frames, and one embedding a cluster: the logit of a cluster is the cosine of the two over the temperature.
#[derive(Debug)]
pub struct PretrainHead {
    projection: Dense,
    clusters: Tensor,
    temperature: f64,
}

/// Smallest norm of the cosine, as `torch.nn.functional.cosine_similarity` has it.
const NORM_FLOOR: f64 = 1e-8;

impl PretrainHead {
    /// `projection` from `hidden` to `width`, and `clusters` `[clusters, width]` at `loader`.
    ///
    /// # Errors
    /// As [`Loader::param`].
    pub fn new(
        loader: &Loader,
        (hidden, width): (i64, i64),
        clusters: usize,
        temperature: f64,
    ) -> Result<Self, NnError> {
        let shape = [clusters as i64, width];
        Ok(Self {
            projection: Dense::new(&loader.at("projection"), hidden, width)?,
            clusters: loader.param("clusters", &shape, Role::Weight, Init::Normal { std: 1.0 })?,
            temperature,
        })
    }

    /// `[frames, hidden]` to logits `[frames, clusters]`.
    pub fn forward(&self, hidden: &Tensor) -> Tensor {
        let frames = unit(&self.projection.forward(hidden));
        frames.matmul(&unit(&self.clusters).tr()) / self.temperature
    }

    /// The mean cross entropy of `logits` `[frames, clusters]`, `[]`, and the share of frames whose target, of
    /// `[frames]`, has the highest logit.
    pub fn loss(logits: &Tensor, targets: &Tensor) -> (Tensor, f64) {
        let loss = logits.cross_entropy_loss(targets, None::<&Tensor>, Reduction::Mean, -100, 0.0);
        let right = logits.argmax(-1, false).eq_tensor(targets).to_kind(Kind::Float);
        (loss, right.mean(Kind::Float).double_value(&[]))
    }
}

fn unit(rows: &Tensor) -> Tensor {
    let norm = rows.norm_scalaropt_dim(2.0, [-1_i64].as_slice(), true);
    rows / norm.clamp_min(NORM_FLOOR)
}

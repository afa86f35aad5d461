//! AdamW (Loshchilov and Hutter 2019), step for step as `torch.optim.AdamW`, with a state that can be saved.

use std::collections::BTreeMap;

use sure_nn::{
    Role, Store,
    tch::{self, Tensor},
};

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPS: f64 = 1e-8;

#[derive(Debug)]
struct Slot {
    name: String,
    param: Tensor,
    mean: Tensor,
    square: Tensor,
    /// Steps in which this parameter had a gradient: each has its own bias correction, as in torch.
    steps: i32,
    lr: f64,
    decay: f64,
}

/// The optimiser: betas 0.9 and 0.999, epsilon 1e-8, decoupled weight decay on weights only (not on biases and norms).
#[derive(Debug, Default)]
pub struct AdamW {
    slots: Vec<Slot>,
}

impl AdamW {
    /// An optimiser without parameters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds every parameter of `store` that asks for a gradient, under `prefix`, with its own learning rate.
    pub fn add(&mut self, prefix: &str, store: &Store, lr: f64, weight_decay: f64) {
        for (name, param) in store.iter().filter(|(_, param)| param.tensor.requires_grad()) {
            let _guard = tch::no_grad_guard();
            self.slots.push(Slot {
                name: format!("{prefix}.{name}"),
                param: param.tensor.shallow_clone(),
                mean: param.tensor.zeros_like(),
                square: param.tensor.zeros_like(),
                steps: 0,
                lr,
                decay: if param.role == Role::Weight { weight_decay } else { 0.0 },
            });
        }
    }

    /// The parameters with their names.
    pub fn params(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.slots.iter().map(|slot| (slot.name.as_str(), &slot.param))
    }

    /// Forgets all gradients.
    pub fn zero_grad(&mut self) {
        for slot in &mut self.slots {
            slot.param.zero_grad();
        }
    }

    /// Scales all gradients so that their common norm is at most `max`; returns the norm that they had.
    pub fn clip_grad_norm(&self, max: f64) -> f64 {
        let _guard = tch::no_grad_guard();
        let grads: Vec<Tensor> =
            self.slots.iter().map(|slot| slot.param.grad()).filter(Tensor::defined).collect();
        if grads.is_empty() {
            return 0.0;
        }
        let norms: Vec<Tensor> = grads.iter().map(Tensor::norm).collect();
        let norm = Tensor::stack(&norms, 0).norm().double_value(&[]);
        // As torch.nn.utils.clip_grad_norm_: a guard against division by zero, and never an enlargement.
        let scale = max / (norm + 1e-6);
        if scale < 1.0 {
            for mut grad in grads {
                let _ = grad.g_mul_scalar_(scale);
            }
        }
        norm
    }

    /// One step with the gradients that the parameters hold; each learning rate is multiplied by `factor`.
    pub fn step(&mut self, factor: f64) {
        let _guard = tch::no_grad_guard();
        for slot in &mut self.slots {
            let grad = slot.param.grad();
            if !grad.defined() {
                continue;
            }
            slot.steps += 1;
            let correct1 = 1.0 - BETA1.powi(slot.steps);
            let correct2 = (1.0 - BETA2.powi(slot.steps)).sqrt();
            let lr = slot.lr * factor;
            let _ = slot.param.g_mul_scalar_(1.0 - lr * slot.decay);
            let _ = slot.mean.lerp_(&grad, 1.0 - BETA1);
            let _ = slot.square.g_mul_scalar_(BETA2);
            let _ = slot.square.addcmul_(&grad, &(&grad * (1.0 - BETA2)));
            let mut denominator = slot.square.sqrt();
            let _ = denominator.g_div_scalar_(correct2);
            let _ = denominator.g_add_scalar_(EPS);
            let _ = slot.param.addcdiv_(&(&slot.mean * (-lr / correct1)), &denominator);
        }
    }

    /// Moments and step counts by name, for a checkpoint.
    pub fn state(&self) -> BTreeMap<String, Tensor> {
        let all = self.slots.iter().flat_map(|slot| {
            let steps = Tensor::from_slice(&[slot.steps as f32]);
            [
                (format!("mean.{}", slot.name), slot.mean.shallow_clone()),
                (format!("square.{}", slot.name), slot.square.shallow_clone()),
                (format!("steps.{}", slot.name), steps),
            ]
        });
        all.collect()
    }

    /// Takes up a saved state; false when something is missing, and then the state is unusable.
    pub fn restore(&mut self, state: &BTreeMap<String, Tensor>) -> bool {
        let _guard = tch::no_grad_guard();
        self.slots.iter_mut().all(|slot| {
            let saved = |what: &str| state.get(&format!("{what}.{}", slot.name));
            let (Some(mean), Some(square), Some(steps)) = (saved("mean"), saved("square"), saved("steps"))
            else {
                return false;
            };
            if mean.size() != slot.mean.size() || square.size() != slot.square.size() || steps.size() != [1] {
                return false;
            }
            slot.mean.copy_(mean);
            slot.square.copy_(square);
            slot.steps = steps.double_value(&[0]) as i32;
            true
        })
    }
}

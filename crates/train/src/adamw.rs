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
    lr: f64,
    decay: f64,
}

/// The optimiser: betas 0.9 and 0.999, epsilon 1e-8, decoupled weight decay on weights only (not on biases and norms).
#[derive(Debug, Default)]
pub struct AdamW {
    slots: Vec<Slot>,
    steps: i32,
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
        self.steps += 1;
        let correct1 = 1.0 - BETA1.powi(self.steps);
        let correct2 = (1.0 - BETA2.powi(self.steps)).sqrt();
        let _guard = tch::no_grad_guard();
        for slot in &mut self.slots {
            let grad = slot.param.grad();
            if !grad.defined() {
                continue;
            }
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

    /// Steps taken so far.
    pub fn steps(&self) -> i32 {
        self.steps
    }

    /// The moments by name, for a checkpoint.
    pub fn state(&self) -> BTreeMap<String, Tensor> {
        let both = self.slots.iter().flat_map(|slot| {
            [("mean", &slot.mean), ("square", &slot.square)]
                .map(|(moment, tensor)| (format!("{moment}.{}", slot.name), tensor.shallow_clone()))
        });
        both.collect()
    }

    /// Takes up a saved state; false when a moment is missing, and then the state is unusable.
    pub fn restore(&mut self, state: &BTreeMap<String, Tensor>, steps: i32) -> bool {
        let _guard = tch::no_grad_guard();
        self.steps = steps;
        for slot in &mut self.slots {
            for (moment, tensor) in [("mean", &mut slot.mean), ("square", &mut slot.square)] {
                match state.get(&format!("{moment}.{}", slot.name)) {
                    Some(saved) if saved.size() == tensor.size() => tensor.copy_(saved),
                    _ => return false,
                }
            }
        }
        true
    }
}

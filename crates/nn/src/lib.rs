//! Layers on tch, and the hook points where adapters act.

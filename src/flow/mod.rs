//! The graph of flows, and what data gets where.

pub mod graph;
pub mod holdings;
pub mod lanes;
pub mod propagate;

//! The graph of tasks as a picture of plain data, and the forms it is written in. Pure.

mod dot;
mod fold;
mod json;
mod mermaid;
mod picture;
mod svg;

pub use dot::dot;
pub use json::json;
pub use mermaid::mermaid;
pub use picture::{Edge, Node, Picture, Wanted, Why, kind};
pub use svg::svg;

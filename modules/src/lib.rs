//! The modules of evenkeel: what a machine can be brought to, one file each.

use evenkeel_engine::Registry;

mod args;

/// Each line is a module: its file, and the type that implements [`evenkeel_engine::Module`].
macro_rules! modules {
    ($($file:ident => $module:ident,)*) => {
        $(pub mod $file;)*

        /// All modules of this crate.
        pub fn standard() -> Registry {
            Registry::default()$(.with::<$file::$module>())*
        }
    };
}

modules! {
    file => File,
}

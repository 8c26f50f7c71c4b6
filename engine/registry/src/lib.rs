//! The way of a plugin from its author to where it runs: a signing key, a Tollgate server, an OCI registry.
//!
//! It carries bytes that others have built and checked. What a server takes in is the core's to decide.

mod credentials;
mod key;
mod oci;
mod server;
mod tls;

pub use key::{KeyError, SecretKey};
pub use oci::{Artifact, OciError, Place, Pulled, pull, push};
pub use server::{Taken, Upload, UploadError, upload};

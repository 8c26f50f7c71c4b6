//! The arguments of `tollgate plugin keygen`, `publish` and `pull`.

#![allow(clippy::doc_markdown, rustdoc::bare_urls)] // comments here are help texts

use std::path::PathBuf;

use clap::Args;

#[derive(Args)]
pub struct PluginKeygen {
    /// Where to write the secret key; only its owner may read it, and a file that is there is never overwritten
    #[arg(value_name = "KEY-FILE")]
    pub file: PathBuf,
}

#[derive(Args)]
#[command(after_help = "\
Environment:
  TOLLGATE_API_KEY             the API key of the server, unless there is --key-file
  TOLLGATE_REGISTRY_USERNAME   who you are to an OCI registry, with
  TOLLGATE_REGISTRY_PASSWORD   this; without both, what `docker login` keeps")]
pub struct PluginPublish {
    /// A crate's directory, a component file, the name of a bundled plugin, or oci://REGISTRY/REPOSITORY:TAG
    #[arg(default_value = ".", value_name = "DIR|FILE.wasm|NAME|oci://…")]
    pub plugin: String,
    /// Where to: a server, https://HOST, or a registry, oci://REGISTRY/REPOSITORY:TAG
    #[arg(long, value_name = "URL")]
    pub to: String,
    /// Sign it with this key, as `plugin keygen` wrote it
    #[arg(long, value_name = "KEY-FILE", env = "TOLLGATE_SIGNING_KEY_FILE")]
    pub sign: Option<PathBuf>,
    /// A file that holds the server's API key
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Whose it shall be, with a platform's key
    #[arg(long)]
    pub builder: Option<String>,
    /// Go without TLS to another machine too: whoever is on the way can read the key
    #[arg(long)]
    pub plain_http: bool,
}

#[derive(Args)]
pub struct PluginPull {
    /// oci://REGISTRY/REPOSITORY:TAG, or with @sha256:… in place of the tag
    #[arg(value_name = "oci://…")]
    pub place: String,
    /// Where to write the component
    #[arg(long, value_name = "FILE.wasm")]
    pub output: PathBuf,
    /// Go without TLS to another machine too
    #[arg(long)]
    pub plain_http: bool,
}

//! Who pushes and pulls: by the environment, else by what `docker login` keeps, else nobody.

use std::path::PathBuf;

use docker_credential::{CredentialRetrievalError, DockerCredential};
use oci_client::secrets::RegistryAuth;

use crate::oci::OciError;

const USERNAME: &str = "TOLLGATE_REGISTRY_USERNAME";
const PASSWORD: &str = "TOLLGATE_REGISTRY_PASSWORD";

/// The credentials for a registry.
pub(crate) fn of(registry: &str) -> Result<RegistryAuth, OciError> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (variable(USERNAME), variable(PASSWORD)) {
        (Some(username), Some(password)) => return Ok(RegistryAuth::Basic(username, password)),
        (None, None) => {}
        _ => return Err(OciError::Credentials(format!("{USERNAME} and {PASSWORD} go together: set both"))),
    }
    if !docker_keeps_any() {
        return Ok(RegistryAuth::Anonymous);
    }
    // Docker's own registry has another name in Docker's own file.
    let server = if registry.ends_with("docker.io") { "https://index.docker.io/v1/" } else { registry };
    match docker_credential::get_credential(server) {
        Ok(DockerCredential::UsernamePassword(username, password)) => {
            Ok(RegistryAuth::Basic(username, password))
        }
        Ok(DockerCredential::IdentityToken(_)) => Err(OciError::Credentials(format!(
            "Docker keeps an identity token for {registry}, which is not supported: set {USERNAME} and {PASSWORD}"
        ))),
        Err(CredentialRetrievalError::NoCredentialConfigured) => Ok(RegistryAuth::Anonymous),
        Err(error) => Err(OciError::Credentials(format!("what Docker keeps for {registry}: {error}"))),
    }
}

/// Whether there is a file of Docker's at all: the crate that reads it does not tell.
fn docker_keeps_any() -> bool {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| std::env::home_dir().map(|home| home.join(".docker")));
    folder.is_some_and(|folder| folder.join("config.json").is_file())
}

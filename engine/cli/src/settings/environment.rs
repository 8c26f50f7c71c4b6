//! Settings in the environment, and what stands there beside them under the same prefix.

use anyhow::{Context as _, bail};

/// What a setting is called in the environment: this and its name in capitals, with `_` for the points.
const PREFIX: &str = "TOLLGATE_";

/// What other commands read, or `serve` reads as a flag.
const OTHERS: [&str; 5] = [
    "TOLLGATE_CONFIG",
    "TOLLGATE_API_KEY",
    "TOLLGATE_SIGNING_KEY_FILE",
    "TOLLGATE_REGISTRY_USERNAME",
    "TOLLGATE_REGISTRY_PASSWORD",
];

/// The most letters by which a name may differ from one that was meant.
const SLIPS_MAX: usize = 3;

/// The variable of a setting.
pub fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.replace('.', "_").to_uppercase())
}

/// What a variable says. An empty one says nothing.
pub fn read(variable: &str) -> anyhow::Result<Option<String>> {
    let Some(value) = std::env::var_os(variable).filter(|value| !value.is_empty()) else { return Ok(None) };
    let value = value.into_string().ok().with_context(|| format!("{variable} is not UTF-8"))?;
    Ok(Some(value))
}

/// Refuses a variable that reads like a setting and is none of these.
pub fn refuse_unknown(names: &[&str]) -> anyhow::Result<()> {
    let known: Vec<String> = names.iter().map(|name| variable(name)).collect();
    let given = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut unknown = given.filter(|name| {
        name.starts_with(PREFIX)
            && !OTHERS.contains(&name.as_str())
            && !known.contains(name)
            && !is_of_kubernetes(name)
    });
    let Some(unknown) = unknown.next() else { return Ok(()) };
    match nearest(&unknown, &known) {
        Some(meant) => bail!("{unknown} in the environment is no setting: did you mean {meant}?"),
        None => bail!("{unknown} in the environment is no setting: --print-config shows all of them"),
    }
}

/// Kubernetes tells every container of every service. One that is called `tollgate` is told of like this.
fn is_of_kubernetes(name: &str) -> bool {
    let is_port = |rest: &str| {
        let number = rest.split('_').next().unwrap_or_default();
        rest.is_empty() || !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    let after_port = name.split_once("_PORT").map(|(_, rest)| rest);
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || after_port.is_some_and(|rest| is_port(rest.trim_start_matches('_')))
}

fn nearest<'k>(name: &str, known: &'k [String]) -> Option<&'k String> {
    let slips = |other: &String| strsim::osa_distance(name, other);
    known.iter().min_by_key(|other| slips(other)).filter(|other| slips(other) <= SLIPS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubernetes_says_is_told_from_settings() {
        for name in [
            "TOLLGATE_SERVICE_HOST",
            "TOLLGATE_SERVICE_PORT",
            "TOLLGATE_SERVICE_PORT_HTTP",
            "TOLLGATE_PORT",
            "TOLLGATE_PORT_8080_TCP",
            "TOLLGATE_PORT_8080_TCP_ADDR",
            "TOLLGATE_ADMIN_PORT_9090_TCP_PROTO",
        ] {
            assert!(is_of_kubernetes(name), "{name}");
        }
        for name in ["TOLLGATE_LISTEN", "TOLLGATE_PORTS", "TOLLGATE_LISTEN_PORTAL", "TOLLGATE_TLS_KEY"] {
            assert!(!is_of_kubernetes(name), "{name}");
        }
    }
}

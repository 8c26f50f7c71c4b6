//! A plugin on its way from its author to a charge: signed, pushed, pulled, published, bound and rated; and what
//! stops it where it must be stopped.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may panic

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use tollgate_core::plugin::Digest;
use tollgate_tests::registry::{Misconduct, Registry};
use tollgate_tests::server::{Client, Server, bundled};
use tollgate_tests::tollgate::{Answer, Folder};

/// A server with a Builder and its app, and the Builder's key.
struct Host {
    server: Server,
    platform: Client,
    key: String,
}

impl Host {
    fn start(folder: &Folder) -> Self {
        let server = Server::start(folder, &[]);
        let platform = server.platform();
        let book = json!({"id": "network", "prices": {"currency": "USD", "entries": [
            {"model": "m", "prices": [{"measure": "input_tokens", "price": "0", "per": 1}]}]}});
        platform.post("/v1/price-books", &book).with(201);
        let terms = json!({"platform_share": "0", "surcharge_max": "10", "price_book": "network"});
        platform.post("/v1/builders", &json!({"id": "acme", "name": "Acme", "app_terms": terms})).with(201);
        let scope = json!({"type": "builder", "builder": "acme"});
        let made = platform.post("/v1/keys", &json!({"name": "acme", "scope": scope})).with(201);
        let key = made["key"].as_str().unwrap().to_owned();
        platform
            .with_key(&key)
            .post("/v1/apps", &json!({"id": "docs", "name": "Docs", "currency": "USD"}))
            .with(201);
        Self { server, platform, key }
    }

    fn acme(&self) -> Client {
        self.platform.with_key(&self.key)
    }

    /// The Builder's publishers, set by the platform.
    fn publishers(&self, publishers: &Value) {
        let terms = json!({"platform_share": "0", "surcharge_max": "10", "price_book": "network"});
        let builder = json!({"name": "Acme", "app_terms": terms, "publishers": publishers});
        let answer = self.platform.put("/v1/builders/acme", &builder).with(200);
        assert_eq!(answer["publishers"], *publishers);
    }

    /// `plugin publish … --to` this server, with the Builder's key in the environment.
    fn publish(&self, folder: &Folder, arguments: &str) -> Answer {
        let address = &self.server.address;
        let mut command = folder.command(&format!("plugin publish {arguments} --to {address}"));
        let mut answer: Answer = command.env("TOLLGATE_API_KEY", &self.key).output().unwrap().into();
        for text in [&mut answer.output, &mut answer.errors] {
            assert!(!text.contains(&self.key), "the key is told to nobody: {text}");
            *text = text.replace(address.as_str(), "http://HOST");
        }
        answer
    }
}

/// A component that no other test has: a bundled one with a section of its own.
fn component(words: &str) -> Vec<u8> {
    let mut component = bundled("conversation");
    let section = [&[u8::try_from(words.len()).unwrap()], words.as_bytes()].concat();
    component.extend([0, u8::try_from(section.len()).unwrap()]);
    component.extend(section);
    component
}

/// Makes a key; gives back its public half.
fn keygen(folder: &Folder, file: &str) -> String {
    let told = folder.run(&format!("plugin keygen {file}")).done();
    let mode = std::fs::metadata(folder.path(file)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    told.lines().next().unwrap().to_owned()
}

/// A run that must have been refused, with its message.
#[track_caller]
fn refused(answer: &Answer) -> String {
    assert_eq!(answer.code, 3, "{}{}", answer.output, answer.errors);
    answer.errors.trim().to_owned()
}

#[test]
fn only_what_a_publisher_has_signed_comes_in_and_is_charged_with() {
    let folder = Folder::new();
    let host = Host::start(&folder);
    let (ours, theirs) = (keygen(&folder, "ours.key"), keygen(&folder, "theirs.key"));
    let again = refused(&folder.run("plugin keygen ours.key"));
    assert_eq!(
        again,
        "tollgate: nothing was done: ours.key is there already, and a key is never overwritten: name another file"
    );
    folder.write("plugin.wasm", component("first"));
    host.publishers(&json!([{"name": "ci", "key": ours}]));

    let unsigned = refused(&host.publish(&folder, "plugin.wasm"));
    assert!(unsigned.ends_with(
        "http://HOST refused it (403): Builder \"acme\" takes in only plugins that one of its publishers has \
         signed, and this one is not signed: publish it with --sign KEY-FILE"
    ), "{unsigned}");
    let other = refused(&host.publish(&folder, "plugin.wasm --sign theirs.key"));
    assert!(
        other.contains(&format!("{theirs} is not the key of a publisher of Builder \"acme\"")),
        "{other}"
    );

    let first = host.publish(&folder, "plugin.wasm --sign ours.key").done();
    let digest = Digest::of(&component("first")).to_string();
    assert!(first.contains("published to http://HOST, signed by ci"), "{first}");
    assert!(first.contains(&digest), "{first}");
    let second = host.publish(&folder, "plugin.wasm").done();
    assert!(second.contains("was there already: nothing changed on http://HOST, signed by ci"), "{second}");
    let shown = host.acme().get(&format!("/v1/plugins/{digest}")).with(200);
    assert_eq!(shown["published_by"], json!({"name": "ci", "key": ours}));

    let tariff = json!({"id": "docs-2026", "app": "docs", "plugin": digest,
        "settings": {"price": "0.25"}, "effective_from": "2026-01-01T00:00:00Z"});
    host.acme().post("/v1/tariffs", &tariff).with(201);
    let event = json!({"specversion": "1.0", "id": "one", "source": "docs", "type": "t", "subject": "customer",
        "time": "2026-10-01T00:00:00Z",
        "data": {"model": "m", "measures": {"input_tokens": 1}, "attributes": {"conversation": "c1"}}});
    let receipt = host.acme().post("/v1/events", &event).with(200);
    assert_eq!(receipt["receipts"][0]["status"], "rated", "{receipt}");
    assert!(receipt.to_string().contains("\"0.25\""), "{receipt}");

    // Another list: what is there stays and prices on; what is new needs another key.
    host.publishers(&json!([{"name": "them", "key": theirs}]));
    folder.write("plugin.wasm", component("second"));
    let revoked = refused(&host.publish(&folder, "plugin.wasm --sign ours.key"));
    assert!(revoked.contains(&format!("{ours} is not the key of a publisher")), "{revoked}");
    let mut event = event;
    event["id"] = json!("two");
    assert_eq!(host.acme().post("/v1/events", &event).with(200)["receipts"][0]["status"], "rated");
    let shown = host.acme().get(&format!("/v1/plugins/{digest}")).with(200);
    assert_eq!(shown["published_by"]["name"], "ci");

    // A Builder's own key does not change the list, or whoever stole it would sign for themselves.
    let theft = host.acme().put("/v1/builders/acme", &json!({"name": "Acme", "publishers": []}));
    assert_eq!(theft.status, 403);
    // The signature of one plugin is none of another, whoever's it is.
    let signature = signature_of(&folder);
    let headers = [("content-type", "application/wasm"), ("tollgate-signature", signature.as_str())];
    let tampered = host.acme().ask("POST", "/v1/plugins", &headers, component("third"));
    assert_eq!(tampered.status, 403, "{}", tampered.text);
    assert!(
        tampered.text.contains("the bytes or the signature were changed on the way"),
        "{}",
        tampered.text
    );
    let garbled = [("content-type", "application/wasm"), ("tollgate-signature", "ed25519:00")];
    assert_eq!(host.acme().ask("POST", "/v1/plugins", &garbled, component("third")).status, 422);
}

/// A signature of the plugin at hand, as it lies in a registry.
fn signature_of(folder: &Folder) -> String {
    let registry = Registry::start();
    let place = format!("oci://{}/acme/signed:1", registry.address);
    folder.run(&format!("plugin publish plugin.wasm --sign theirs.key --to {place}")).done();
    let manifest = registry.manifest("acme/signed", "1");
    manifest["annotations"]["tollgate.plugin.signature"].as_str().unwrap().to_owned()
}

#[test]
fn a_plugin_goes_through_a_registry_unchanged_and_keeps_its_signature() {
    let folder = Folder::new();
    let host = Host::start(&folder);
    let registry = Registry::start();
    let public = keygen(&folder, "ci.key");
    host.publishers(&json!([{"name": "ci", "key": public}]));
    let bytes = component("pushed");
    let digest = Digest::of(&bytes).to_string();
    folder.write("plugin.wasm", &bytes);
    let place = format!("oci://{}/acme/per-conversation:1.0.0", registry.address);

    let push = format!("plugin publish plugin.wasm --sign ci.key --to {place}");
    let pushed = folder.run(&push).done();
    assert!(pushed.contains(&format!("pushed to {place}, with its signature")), "{pushed}");
    let manifest = registry.manifest("acme/per-conversation", "1.0.0");
    assert_eq!(manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);
    let layer = &manifest["layers"][0];
    assert_eq!((&layer["mediaType"], &layer["digest"]), (&json!("application/wasm"), &json!(digest)));
    assert_eq!(layer["annotations"]["org.opencontainers.image.title"], "conversation.wasm");
    let config = registry.blob(manifest["config"]["digest"].as_str().unwrap());
    let config: Value = serde_json::from_slice(&config).unwrap();
    assert_eq!((&config["os"], &config["architecture"]), (&json!("wasip2"), &json!("wasm")));
    assert_eq!(config["layerDigests"], json!([digest]));
    assert_eq!(config["component"]["exports"], json!(["tollgate:pricing/plugin@0.1.0"]));
    folder.run(&push).done();
    assert_eq!(registry.manifest("acme/per-conversation", "1.0.0"), manifest, "the same again is the same");

    let pulled = folder.run(&format!("plugin pull {place} --output pulled.wasm")).done();
    assert!(pulled.contains(&digest) && pulled.contains(&public), "{pulled}");
    assert_eq!(std::fs::read(folder.path("pulled.wasm")).unwrap(), bytes);
    let published = host.publish(&folder, &place).done();
    assert!(published.contains("published to http://HOST, signed by ci"), "{published}");

    registry.behave(Misconduct { changes: Some(3), ..Misconduct::default() });
    let tampered = refused(&folder.run(&format!("plugin pull {place} --output tampered.wasm")));
    assert!(tampered.contains("the registry gave other bytes than its manifest names"), "{tampered}");
    assert!(!folder.path("tampered.wasm").exists());
    let wants = Some("Basic dXNlcjpzZWNyZXQ=".to_owned());
    registry.behave(Misconduct { wants, ..Misconduct::default() });
    let stranger = refused(&folder.run(&format!("plugin pull {place} --output in.wasm")));
    assert!(stranger.contains("the registry does not let you in: run `docker login`"), "{stranger}");
    let mut known = folder.command(&format!("plugin pull {place} --output in.wasm"));
    known.env("TOLLGATE_REGISTRY_USERNAME", "user").env("TOLLGATE_REGISTRY_PASSWORD", "secret");
    Answer::from(known.output().unwrap()).done();
    // The same by what Docker keeps.
    std::fs::create_dir(folder.path("docker")).unwrap();
    let kept = json!({"auths": {&registry.address: {"auth": "dXNlcjpzZWNyZXQ="}}});
    folder.write("docker/config.json", kept.to_string());
    let mut known = folder.command(&format!("plugin pull {place} --output in.wasm"));
    Answer::from(known.env("DOCKER_CONFIG", folder.path("docker")).output().unwrap()).done();
    registry.behave(Misconduct::default());
    let missing = format!("oci://{}/acme/per-conversation:2.0.0", registry.address);
    let missing = refused(&folder.run(&format!("plugin pull {missing} --output in.wasm")));
    assert!(missing.contains("2.0.0 is not there: look for the repository's name and tag"), "{missing}");
}

#[test]
fn what_cannot_be_published_is_told_why() {
    let folder = Folder::new();
    let host = Host::start(&folder);
    folder.write("plugin.wasm", component("refused"));
    let no_key = refused(&folder.run("plugin publish plugin.wasm --to https://127.0.0.1:9"));
    assert_eq!(
        no_key,
        "tollgate: nothing was done: there is no API key: set TOLLGATE_API_KEY, or give --key-file FILE"
    );
    folder.write("api.key", "tollgate_wrong\n");
    let address = &host.server.address;
    let wrong =
        refused(&folder.run(&format!("plugin publish plugin.wasm --key-file api.key --to {address}")));
    assert!(wrong.contains("does not know the API key (401)"), "{wrong}");
    let plain = refused(&folder.run("plugin publish plugin.wasm --key-file api.key --to http://192.0.2.1"));
    assert!(plain.contains("would get the API key unencrypted: use https"), "{plain}");
    let nowhere = folder.run("plugin publish plugin.wasm --key-file api.key --to http://127.0.0.1:9");
    assert_eq!(nowhere.code, 1);
    assert!(nowhere.errors.contains("http://127.0.0.1:9 cannot be reached"), "{}", nowhere.errors);
    let nowhere = folder.run("plugin publish plugin.wasm --to oci://127.0.0.1:9/acme/plugin:1");
    assert_eq!(nowhere.code, 1);
    assert!(nowhere.errors.contains("the registry cannot be reached"), "{}", nowhere.errors);
    let unnamed = refused(&folder.run("plugin publish plugin.wasm --to oci://127.0.0.1:9/acme/plugin"));
    assert!(unnamed.contains("write oci://REGISTRY/REPOSITORY:TAG"), "{unnamed}");

    // A plugin of another contract, by a change of one digit in its export.
    let mut other = component("other");
    let name = b"tollgate:pricing/plugin@0.1.0";
    let places: Vec<usize> = (0..other.len()).filter(|at| other[*at..].starts_with(name)).collect();
    for at in places {
        other[at + name.len() - 3] = b'2';
    }
    folder.write("other.wasm", other);
    let other = host.publish(&folder, "other.wasm");
    assert_eq!(other.code, 7, "{}{}", other.output, other.errors);
    assert!(
        other.output.contains("other.wasm speaks version 0.2.0 of tollgate:pricing, this host version 0.1.0"),
        "{}",
        other.output
    );
    assert!(other.output.contains("other.wasm: not published"), "{}", other.output);
}

//! What an assembled image holds, and that it always holds the same.

use super::*;

fn image(port: u16, executable: &[u8]) -> Image {
    let platform = Platform { os: "linux".to_owned(), architecture: "amd64".to_owned() };
    let recipe =
        Recipe { package: "backend", version: "0.1.0", port, platform: &platform, tmp: false, executable };
    assemble(&recipe).unwrap()
}

fn parsed(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).unwrap()
}

/// Changing this digest rolls every service of every user once: do it knowingly.
#[test]
fn the_same_executable_gives_the_same_digest_in_every_release_of_the_tool() {
    let image = image(8080, b"\x7fELF not really");
    assert_eq!(
        image.layers[0].digest(),
        "sha256:954c46e2ed1ce6693a16fe5f782f8e16f4b1911c8ac9d1ba0b97ffd2680d1509"
    );
    assert_eq!(image.digest.0, "sha256:3f80c86c9f96dfdfe0c2230805c470b6a6d891fb0abc568548c24296788e78ab");
}

#[test]
fn the_digest_follows_the_executable_and_the_port_and_the_base_layer_does_not() {
    let one = image(8080, b"one");
    assert_eq!(one, image(8080, b"one"));
    for other in [image(8080, b"two"), image(8081, b"one")] {
        assert_ne!(one.digest, other.digest);
        assert_eq!(one.layers[0], other.layers[0]);
    }
}

#[test]
fn a_writable_tmp_is_declared_as_a_volume_and_changes_no_layer() {
    let plain = image(8080, b"one");
    let recipe = Recipe {
        package: "backend",
        version: "0.1.0",
        port: 8080,
        platform: &plain.platform,
        tmp: true,
        executable: b"one",
    };
    let image = assemble(&recipe).unwrap();
    assert_eq!(parsed(image.config.bytes())["config"]["Volumes"], serde_json::json!({"/tmp": {}}));
    assert!(image.declares_tmp() && !plain.declares_tmp());
    assert_eq!(image.layers, plain.layers);
}

#[test]
fn the_configuration_runs_the_executable_as_nobody_with_an_exec_form_entry_point() {
    let image = image(8080, b"one");
    let config = parsed(image.config.bytes());
    assert_eq!(
        config["config"],
        serde_json::json!({
            "User": "65532:65532",
            "ExposedPorts": {"8080/tcp": {}},
            "Env": ["PATH=/app"],
            "Entrypoint": ["/app/backend"],
            "WorkingDir": "/app",
            "Labels": {
                "org.opencontainers.image.title": "backend",
                "org.opencontainers.image.version": "0.1.0",
            },
        })
    );
    assert_eq!((&config["os"], &config["architecture"]), (&"linux".into(), &"amd64".into()));
    assert_eq!(config["created"], "1970-01-01T00:00:00Z");
    assert_eq!(config["rootfs"]["type"], "layers");
    assert_eq!(config["rootfs"]["diff_ids"].as_array().unwrap().len(), 2);
    assert_eq!(config["history"].as_array().unwrap().len(), 2);
}

#[test]
fn the_manifest_names_every_blob_with_its_size_and_the_digest_is_of_its_bytes() {
    let image = image(8080, b"one");
    assert_eq!(image.digest.0, blob::digest(&image.manifest));
    let manifest = parsed(&image.manifest);
    assert_eq!(manifest["schemaVersion"], 2);
    assert_eq!(manifest["mediaType"], MANIFEST_MEDIA_TYPE);
    let mut named = manifest["layers"].as_array().unwrap().clone();
    named.push(manifest["config"].clone());
    for (descriptor, blob) in named.iter().zip(image.blobs()) {
        assert_eq!(descriptor["digest"], blob::digest(blob.bytes()));
        assert_eq!(descriptor["size"], blob.bytes().len());
        assert_eq!(descriptor["mediaType"], blob.media_type());
    }
    assert_eq!(named.len(), image.blobs().count());
}

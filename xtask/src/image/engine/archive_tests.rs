//! Archives as engines write them.

use std::path::PathBuf;

use super::*;

const CONFIG: &str = r#"{"os":"linux","architecture":"amd64","config":{"Cmd":["/app"]},"rootfs":{"type":"layers","diff_ids":[]}}"#;

fn file(name: &str, members: &[(&str, &[u8])], links: &[(&str, &str)]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("xtask-archive-{}-{name}.tar", std::process::id()));
    let mut archive = tar::Builder::new(File::create(&path).unwrap());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, name, *content).unwrap();
    }
    for (name, to) in links {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        archive.append_link(&mut header, name, to).unwrap();
    }
    archive.into_inner().unwrap();
    path
}

fn manifest(config: &str, layers: &[&str]) -> String {
    serde_json::json!([{ "Config": config, "RepoTags": null, "Layers": layers }]).to_string()
}

#[test]
fn the_same_content_is_the_same_image_whatever_the_archive_calls_it() {
    let old = manifest("c.json", &["a/layer.tar", "b/layer.tar"]);
    let old = file(
        "old",
        &[("manifest.json", old.as_bytes()), ("c.json", CONFIG.as_bytes()), ("a/layer.tar", b"one")],
        &[("b/layer.tar", "../a/layer.tar")],
    );
    let new = manifest("blobs/sha256/c", &["blobs/sha256/1", "blobs/sha256/1"]);
    let new = file(
        "new",
        &[
            ("blobs/sha256/1", b"one"),
            ("blobs/sha256/c", CONFIG.as_bytes()),
            ("manifest.json", new.as_bytes()),
        ],
        &[],
    );
    let (old, new) = (read(&old, None).unwrap(), read(&new, None).unwrap());
    assert_eq!(old, new);
    assert_eq!((old.layers.len(), old.platform.architecture.as_str()), (2, "amd64"));
    assert_eq!(old.config.bytes().as_ref(), CONFIG.as_bytes(), "the engine's configuration as it is");
}

#[test]
fn a_layer_that_is_compressed_already_is_left_as_it_is() {
    let gzip = layer::compressed(b"one").unwrap();
    let text = manifest("c.json", &["l"]);
    let path = file(
        "gzip",
        &[("manifest.json", text.as_bytes()), ("c.json", CONFIG.as_bytes()), ("l", gzip.bytes())],
        &[],
    );
    assert_eq!(read(&path, None).unwrap().layers, [gzip]);
}

#[test]
fn a_layer_of_the_image_before_is_not_compressed_again() {
    let archive = |name, second: &[u8]| {
        let config = serde_json::json!({
            "os": "linux",
            "architecture": "amd64",
            "rootfs": { "type": "layers", "diff_ids": [blob::digest(b"one"), blob::digest(second)] },
        });
        let (config, text) = (config.to_string(), manifest("c.json", &["l1", "l2"]));
        let members = [
            ("manifest.json", text.as_bytes()),
            ("c.json", config.as_bytes()),
            ("l1", b"one"),
            ("l2", second),
        ];
        file(name, &members, &[])
    };
    let mut before = read(&archive("before", b"two"), None).unwrap();
    // Results from what compressing gives.
    before.layers[0] = layer::compressed(b"kept").unwrap();
    let after = read(&archive("after", b"three"), Some(&before)).unwrap();
    assert_eq!(after.layers, [before.layers[0].clone(), layer::compressed(b"three").unwrap()]);
}

#[test]
fn what_is_no_image_is_reported() {
    for (name, members) in [
        ("nothing", vec![]),
        ("several", vec![("manifest.json", b"[]" as &[u8])]),
        (
            "layerless",
            vec![("manifest.json", br#"[{"Config":"c","Layers":["l"]}]"# as &[u8]), ("c", CONFIG.as_bytes())],
        ),
    ] {
        let error = read(&file(name, &members, &[]), None).unwrap_err();
        assert!(error.to_string().starts_with("no image archive: "), "{name}: {error}");
    }
}

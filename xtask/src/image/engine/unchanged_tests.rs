//! What need not be built: the inputs are those of an image that is here, or of one that another machine has pushed.

use super::*;

/// Base images by name, and images by their inputs.
#[derive(Default)]
pub(super) struct Registry {
    pub(super) bases: BTreeMap<String, char>,
    pub(super) made: BTreeMap<String, ImageDigest>,
}

pub(super) fn digest_of(digit: char) -> ImageDigest {
    ImageDigest(format!("sha256:{}", digit.to_string().repeat(64)))
}

impl Bench {
    /// Builds on a machine that asks the registry, and pushes: what the registry had, or the inputs of the image that was pushed.
    async fn pushed(&self) -> Result<Option<String>, ImageDigest> {
        let (image, events) = self.made(&Self::dockerfile()).await;
        if let Some(digest) = events.iter().find_map(|event| event.strip_prefix("there ")) {
            return Err(ImageDigest(digest.to_owned()));
        }
        let image = image.unwrap();
        let mut registry = self.registry.as_ref().unwrap().lock().unwrap();
        image
            .inputs
            .iter()
            .for_each(|inputs| drop(registry.made.insert(inputs.clone(), image.digest.clone())));
        Ok(image.inputs)
    }
}

/// Two machines, whose engines give two images of the same sources.
fn machines(name: &str) -> [Bench; 2] {
    let registry = Arc::new(Mutex::new(Registry::default()));
    registry.lock().unwrap().bases.insert("base:1".to_owned(), 'b');
    ["one", "two"].map(|content| {
        let mut bench = Bench::new(&format!("{name}-{content}"), &["podman"]);
        bench.says("web/Dockerfile", "FROM base:1\nCOPY . /\n");
        // The engines have a base of their own number, which the registry has under the same digest.
        bench.says("base", &format!("sha256:{content}"));
        bench.says("digests", &format!("[\"base@{}\"]", digest_of('b')));
        bench.image(content);
        bench.registry = Some(registry.clone());
        bench
    })
}

#[tokio::test]
async fn a_machine_does_not_build_what_another_one_has_pushed() {
    let [one, two] = machines("shared");
    let inputs = one.pushed().await.unwrap().unwrap();
    let first = one.registry.as_ref().unwrap().lock().unwrap().made[&inputs].clone();
    assert_eq!(two.pushed().await, Err(first.clone()));
    assert_eq!(two.asked(), ["podman image"], "its engine did not build");
    // The first machine keeps its own image, until another one is pushed of the same inputs.
    assert_eq!(one.pushed().await, Ok(Some(inputs.clone())));
    let rebuilt = digest_of('r');
    one.registry.as_ref().unwrap().lock().unwrap().made.insert(inputs, rebuilt.clone());
    assert_eq!(one.pushed().await, Err(rebuilt));
}

/// What makes another machine build, and how.
type Miss = (&'static str, fn(&mut Bench));

#[tokio::test]
async fn another_machine_builds_where_anything_may_differ() {
    let table: &[Miss] = &[
        ("a file", |it| it.says("web/main.js", "changed")),
        ("a base that was pushed again", |it| {
            it.registry.as_ref().unwrap().lock().unwrap().bases.insert("base:1".to_owned(), 'c');
        }),
        ("a base whose registry does not answer", |it| {
            it.registry.as_ref().unwrap().lock().unwrap().bases.clear();
        }),
        ("a Dockerfile that is read by another image", |it| {
            it.says("web/Dockerfile", "# syntax=docker/dockerfile:1\nFROM base:1\nCOPY . /\n");
        }),
        ("somebody who asks for it", |it| it.no_cache = true),
    ];
    for (at, (what, change)) in table.iter().enumerate() {
        let [one, mut two] = machines(&format!("miss-{at}"));
        one.pushed().await.unwrap().unwrap();
        change(&mut two);
        two.pushed().await.unwrap_or_else(|found| panic!("{what}: {found} was found"));
    }
}

#[tokio::test]
async fn an_image_of_a_base_that_others_do_not_get_is_nothing_for_them() {
    let [one, two] = machines("stale");
    // The engine prefers the older base that it has, though the name has moved on.
    one.says("digests", &format!("[\"base@{}\"]", digest_of('0')));
    assert_eq!(one.pushed().await, Ok(None));
    assert!(two.pushed().await.unwrap().is_some());
}

#[tokio::test]
async fn unchanged_inputs_need_no_engine_unless_a_base_moved_or_it_is_asked_for() {
    let mut bench = Bench::new("inputs", &["podman"]);
    bench.says("web/Dockerfile", "FROM base:1\nCOPY . /\n");
    bench.says("base", "sha256:base");
    let first = bench.build(None).await.unwrap();
    assert_eq!(bench.asked(), ["podman image", "podman build", "podman save", "podman image"]);
    let (again, events) = bench.made(&Bench::dockerfile()).await;
    assert_eq!((again.unwrap(), events), (first.clone(), vec!["unchanged".to_owned()]));
    assert_eq!(bench.asked(), ["podman image"]);
    bench.says("base", "sha256:moved");
    bench.build(None).await.unwrap();
    assert_eq!(bench.asked(), ["podman image", "podman build", "podman image"]);
    bench.says("web/main.js", "changed");
    bench.build(None).await.unwrap();
    assert_eq!(bench.asked(), ["podman image", "podman build", "podman image"]);
    let layer = first.layers[0].digest().trim_start_matches("sha256:");
    fs::write(bench.folder.join("target/image/oci/web/blobs/sha256").join(layer), "cut off").unwrap();
    bench.build(None).await.unwrap();
    assert_eq!(bench.asked(), ["podman image", "podman build", "podman save", "podman image"]);
    bench.no_cache = true;
    bench.build(None).await.unwrap();
    let asked = fs::read_to_string(bench.folder.join("asked")).unwrap();
    assert!(
        asked.lines().any(|line| line.contains("podman build") && line.contains(" --no-cache ")),
        "{asked}"
    );
    assert_eq!(bench.asked(), ["podman image", "podman build", "podman image"]);
}

#[tokio::test]
async fn what_was_saved_during_a_build_and_taken_back_is_not_called_the_same_inputs() {
    let bench = Bench::new("meanwhile", &["podman"]);
    bench.says("web/Dockerfile", "FROM base:1\nCOPY . /\n");
    bench.says("base", "sha256:base");
    bench.says("web/main.js", "old");
    for (meanwhile, back) in
        [("printf new > web/main.js", "web/main.js"), ("printf sha256:new > base", "base")]
    {
        let before = fs::read_to_string(bench.folder.join(back)).unwrap();
        bench.says("meanwhile", meanwhile);
        bench.build(None).await.unwrap();
        fs::remove_file(bench.folder.join("meanwhile")).unwrap();
        bench.says(back, &before);
        let (_, events) = bench.made(&Bench::dockerfile()).await;
        assert!(!events.contains(&"unchanged".to_owned()), "{back}");
        let (_, events) = bench.made(&Bench::dockerfile()).await;
        assert_eq!(events, ["unchanged"], "{back}");
        let _ = fs::remove_dir_all(bench.folder.join("target"));
    }
}

#[tokio::test]
async fn a_base_that_the_build_fetched_is_known_from_then_on() {
    let bench = Bench::new("fetched", &["podman"]);
    bench.says("web/Dockerfile", "FROM base:1\nCOPY . /\n");
    bench.says("meanwhile", "printf sha256:base > base");
    bench.build(None).await.unwrap();
    let (_, events) = bench.made(&Bench::dockerfile()).await;
    assert_eq!(events, ["unchanged"]);
}

//! Layers that mean harm, and layers that do not.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::Header;

use super::*;

/// A folder with the image's root in it, so that what escapes by one level is seen.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("sim-unpack-{}-{name}", std::process::id()));
        fs::create_dir_all(folder.join("a/b/root")).unwrap();
        Self(folder)
    }

    fn root(&self) -> PathBuf {
        self.0.join("a/b/root")
    }

    fn apply(&self, layer: &[u8]) -> Result<()> {
        super::layer(&self.root(), layer, &mut 1_000_000)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).unwrap()
    }

    /// Every file outside the root.
    fn outside(&self) -> Vec<PathBuf> {
        ["", "a", "a/b"]
            .iter()
            .flat_map(|folder| fs::read_dir(self.0.join(folder)).unwrap())
            .map(|entry| entry.unwrap().path())
            .filter(|path| !path.is_dir())
            .collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// A tar with these entries: name, kind, and the content or the link's target. The names go in as they are: the
/// library's own writer would refuse the bad ones.
fn tar(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, kind, payload) in entries {
        let link = matches!(kind, EntryType::Symlink | EntryType::Link);
        let mut header = Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(0o755);
        let fields = header.as_gnu_mut().unwrap();
        fields.name[..name.len()].copy_from_slice(name.as_bytes());
        if link {
            fields.linkname[..payload.len()].copy_from_slice(payload.as_bytes());
        }
        header.set_size(if link { 0 } else { payload.len() as u64 });
        header.set_cksum();
        tar.extend_from_slice(header.as_bytes());
        if !link {
            tar.extend_from_slice(payload.as_bytes());
            tar.resize(tar.len().next_multiple_of(512), 0);
        }
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

const FILE: EntryType = EntryType::Regular;
const SYMLINK: EntryType = EntryType::Symlink;

#[test]
fn no_name_and_no_link_writes_outside_the_image() {
    let victim = "/tmp/sim-unpack-victim";
    for (case, entries, refused) in [
        ("dots", vec![("../evil", FILE, "x")], true),
        ("dots-within", vec![("a/../../evil", FILE, "x")], true),
        ("absolute", vec![("/abs/file", FILE, "x")], false),
        ("through-link", vec![("out", SYMLINK, victim), ("out/evil", FILE, "x")], false),
        ("through-dots", vec![("up", SYMLINK, "../../.."), ("up/evil", FILE, "x")], false),
        ("through-two", vec![("d", SYMLINK, ".."), ("d/e", SYMLINK, ".."), ("d/e/evil", FILE, "x")], false),
        ("over-link", vec![("f", SYMLINK, "../evil"), ("f", FILE, "x")], false),
        ("hard-link", vec![("f", EntryType::Link, "../../../../../../etc/hostname")], true),
        ("hard-link-absolute", vec![("f", EntryType::Link, "/etc/hostname")], true),
        ("hide-parent", vec![(".wh...", FILE, "")], true),
        ("hide-up", vec![("up", SYMLINK, ".."), ("up/.wh.root", FILE, "")], false),
        ("loop", vec![("a", SYMLINK, "b"), ("b", SYMLINK, "a"), ("a/evil", FILE, "x")], true),
    ] {
        let folder = Folder::new(case);
        assert_eq!(folder.apply(&tar(&entries)).is_err(), refused, "{case}");
        assert_eq!(folder.outside(), Vec::<PathBuf>::new(), "{case}");
        assert!(folder.root().exists(), "{case}");
        assert!(!Path::new(victim).exists(), "{case}");
    }
}

#[test]
fn a_name_without_end_is_not_read_into_memory() {
    // tar's long names: an entry whose content is the next one's name.
    let long = |bytes: u64| {
        let mut header = Header::new_gnu();
        header.set_path("././@LongLink").unwrap();
        header.set_entry_type(EntryType::GNULongName);
        header.set_size(bytes);
        header.set_cksum();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(header.as_bytes()).unwrap();
        io::copy(&mut io::repeat(b'a').take(bytes.next_multiple_of(512)), &mut gzip).unwrap();
        gzip.write_all(&tar(&[("short", FILE, "x")])).unwrap();
        gzip.finish().unwrap()
    };
    let folder = Folder::new("endless");
    let refused = folder.apply(&long(64 << 20)).unwrap_err().to_string();
    assert!(refused.contains("a name that is too long"), "{refused}");
    // As long as a file's name can be.
    folder.apply(&long(255)).unwrap();
    assert_eq!(folder.read(&"a".repeat(255)), "x");
}

#[test]
fn a_link_leads_where_it_leads_in_the_container() {
    let folder = Folder::new("links");
    let entries = [("usr/bin/app", FILE, "1"), ("bin", SYMLINK, "/usr/bin"), ("bin/tool", FILE, "2")];
    folder.apply(&tar(&entries)).unwrap();
    assert_eq!(folder.read("usr/bin/tool"), "2");
    folder.apply(&tar(&[("again", EntryType::Link, "bin/app")])).unwrap();
    assert_eq!(folder.read("again"), "1");
    let found = within::program(&folder.root(), Path::new("/"), "app", "/nowhere:/bin");
    assert_eq!(found, Some(folder.root().join("usr/bin/app")));
}

#[test]
fn a_later_layer_replaces_and_hides_what_an_earlier_one_put_there() {
    let folder = Folder::new("layers");
    let first = [("etc/a", FILE, "1"), ("etc/b", FILE, "1"), ("data/old", FILE, "1"), ("x", FILE, "1")];
    folder.apply(&tar(&first)).unwrap();
    let second = [
        ("etc/a", FILE, "2"),
        ("etc/.wh.b", FILE, ""),
        ("data/.wh..wh..opq", FILE, ""),
        ("data/new", FILE, "2"),
        ("x", EntryType::Directory, ""),
        ("pipe", EntryType::Fifo, ""),
    ];
    folder.apply(&tar(&second)).unwrap();
    assert_eq!(folder.read("etc/a"), "2");
    assert!(!folder.root().join("etc/b").exists());
    let data: Vec<_> =
        fs::read_dir(folder.root().join("data")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(data, ["new"]);
    assert!(folder.root().join("x").is_dir());
    assert!(!folder.root().join("pipe").exists());
}

#[test]
fn gzip_is_understood_and_zstd_is_refused_by_name() {
    let folder = Folder::new("gzip");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&tar(&[("f", FILE, "1")])).unwrap();
    folder.apply(&gzip.finish().unwrap()).unwrap();
    assert_eq!(folder.read("f"), "1");
    let refused = folder.apply(&[0x28, 0xb5, 0x2f, 0xfd, 0, 0]).unwrap_err();
    assert!(refused.to_string().contains("zstd"), "{refused}");
}

#[test]
fn a_layer_larger_than_the_tasks_storage_is_refused_before_it_is_written() {
    let folder = Folder::new("large");
    let mut budget = 10;
    let layer = tar(&[("a", FILE, "12345678"), ("b", FILE, "123")]);
    let refused = super::layer(&folder.root(), &layer, &mut budget).unwrap_err();
    assert_eq!(refused.to_string(), "no space left on device");
    assert!(!folder.root().join("b").exists());
}

//! The code blocks of `docs/RECEIVING.md` and `docs/VERIFYING.md`. Each carries a file name behind its language, and can
//! be saved under it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The two pages, as one.
pub struct Page {
    blocks: BTreeMap<String, String>,
    /// What stands outside the blocks, on one line.
    prose: String,
}

impl Page {
    /// Reads both pages. Fails at a block without a name, or at a name that comes twice.
    pub fn read() -> Self {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        let pages = ["RECEIVING.md", "VERIFYING.md"];
        let text: String = pages
            .map(|name| fs::read_to_string(docs.join(name)).unwrap())
            .concat();
        let page = Self::of(&text);
        assert!(page.blocks.len() > 5, "the blocks were not found");
        page
    }

    fn of(text: &str) -> Self {
        let mut blocks = BTreeMap::new();
        let mut prose = String::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let Some(info) = line.strip_prefix("```") else {
                prose.push_str(line);
                prose.push(' ');
                continue;
            };
            let (_, name) = info
                .split_once(' ')
                .unwrap_or_else(|| panic!("a block has no file name: {line}"));
            let code: String = lines
                .by_ref()
                .take_while(|line| *line != "```")
                .map(|line| format!("{line}\n"))
                .collect();
            let before = blocks.insert(name.to_owned(), code);
            assert!(before.is_none(), "two blocks are called {name}");
        }
        Self { blocks, prose }
    }

    /// The blocks' names.
    pub fn names(&self) -> Vec<&str> {
        self.blocks.keys().map(String::as_str).collect()
    }

    /// Whether the page tells its reader to write this code.
    pub fn tells(&self, code: &str) -> bool {
        self.prose.contains(&format!("`{code}`"))
    }

    /// The text of a block.
    pub fn block(&self, name: &str) -> &str {
        let block = self.blocks.get(name);
        block.unwrap_or_else(|| panic!("the page has no block {name}"))
    }

    /// Writes every block, the files for `x-ion-signature` beside them, and the Node packages into a folder.
    pub fn save(&self, folder: &Path) {
        for (name, text) in &self.blocks {
            fs::write(folder.join(name), text).unwrap();
        }
        for file in ion_files() {
            fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
        }
        let packages = std::env::var_os("ROWHOOK_TEST_NODE_MODULES").expect(
            "ROWHOOK_TEST_NODE_MODULES names no directory with the Node package: run the tests with tests/run",
        );
        std::os::unix::fs::symlink(packages, folder.join("node_modules")).unwrap();
    }
}

/// The files that verify `x-ion-signature`, one for each language but Python.
pub fn ion_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/receiving");
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn the_reader_itself_reads() {
    let page = Page::of("text\n```sh a.sh\none\n\ntwo\n```\nmore\n```js b.mjs\n```\n");
    assert_eq!(page.names(), ["a.sh", "b.mjs"]);
    assert_eq!(page.block("a.sh"), "one\n\ntwo\n");
    assert_eq!(page.prose, "text more ");
}

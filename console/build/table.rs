//! The table of the files that npm made, as Rust.

use std::{
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::Write as _,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;

use super::{failed, write};

const TABLE: &str = "table.rs";
/// What the bundler tells the server of the pages: not a file to serve.
const SERVER: &str = "server.json";

/// The table of a build without the console.
pub fn without(out: &Path) -> Result<(), String> {
    let table = "static FILES: &[File] = &[];\n\
                 static PAGES: &[&str] = &[];\n\
                 static POLICY: &str = \"default-src 'none'\";\n\
                 static PLAYGROUND_POLICY: &str = \"default-src 'none'\";\n";
    write(&out.join(TABLE), table.as_bytes())
}

/// The table of what was built; each file is compressed beside it.
pub fn write_table(built: &Path, out: &Path) -> Result<(), String> {
    let packed = out.join("packed");
    fs::create_dir_all(&packed).map_err(failed("can not make", &packed))?;
    let mut files = list(built)?;
    files.sort();
    let mut table = "static FILES: &[File] = &[\n".to_owned();
    for (number, path) in files.iter().enumerate() {
        let name = name_of(built, path)?;
        let content = fs::read(path).map_err(failed("can not read", path))?;
        let file = packed.join(format!("{number}.gz"));
        write(&file, &gzip(&content)?)?;
        let mut tag = DefaultHasher::new();
        content.hash(&mut tag);
        writeln!(
            table,
            "File {{ path: {name:?}, content_type: {:?}, gzip: include_bytes!({file:?}), tag: \"{:016x}\" }},",
            content_type(&name)?,
            tag.finish(),
        )
        .expect("a string takes what is written");
    }
    table.push_str("];\n");
    table.push_str(&server(built)?);
    write(&out.join(TABLE), table.as_bytes())
}

/// What the pages are, and their policies.
fn server(built: &Path) -> Result<String, String> {
    let path = built.join(SERVER);
    let text = fs::read_to_string(&path).map_err(failed("can not read", &path))?;
    let told: Value = serde_json::from_str(&text).map_err(|fault| format!("{SERVER}: {fault}"))?;
    let text = |name: &str| {
        let text = told[name].as_str();
        text.ok_or_else(|| format!("{SERVER} has no text {name:?}"))
    };
    let pages: Option<Vec<&str>> = told["pages"]
        .as_array()
        .and_then(|all| all.iter().map(Value::as_str).collect());
    let pages = pages.ok_or_else(|| format!("{SERVER} has no list of texts \"pages\""))?;
    Ok(format!(
        "static PAGES: &[&str] = &{pages:?};\nstatic POLICY: &str = {:?};\nstatic PLAYGROUND_POLICY: &str = {:?};\n",
        text("policy")?,
        text("playgroundPolicy")?,
    ))
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed("can not read", folder))? {
        let path = entry.map_err(failed("can not read", folder))?.path();
        if path.is_dir() {
            found.append(&mut list(&path)?);
        } else if path.file_name().is_none_or(|name| name != SERVER) {
            found.push(path);
        }
    }
    Ok(found)
}

/// The path of a file as the browser asks for it.
fn name_of(built: &Path, path: &Path) -> Result<String, String> {
    let name = path.strip_prefix(built).ok().and_then(Path::to_str);
    let name = name.ok_or_else(|| format!("{} has no name that a URL takes", path.display()))?;
    Ok(format!("/{}", name.replace('\\', "/")))
}

fn gzip(content: &[u8]) -> Result<Vec<u8>, String> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let packed = encoder.write_all(content).and_then(|()| encoder.finish());
    packed.map_err(|fault| format!("can not compress: {fault}"))
}

fn content_type(name: &str) -> Result<&'static str, String> {
    Ok(match name.rsplit_once('.').map_or("", |(_, end)| end) {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "ico" => "image/x-icon",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "ttf" => "font/ttf",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        _ => return Err(format!("{name} is of a kind that the table does not know")),
    })
}

//! `include/wasmlark.h` is generated from the source, and the constants of `examples/web` from the header.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use cbindgen::{Builder, Config, EnumConfig, Language, RenameRule};
use wasmlark::Limit;

/// Returns what the header begins with: the documentation of the crate, as a C comment.
fn introduction(root: &Path) -> String {
    let source = std::fs::read_to_string(root.join("src/lib.rs")).unwrap();
    let lines: Vec<&str> = source.lines().map_while(|line| line.strip_prefix("//!")).collect();
    assert!(lines.len() > 20, "src/lib.rs begins with its documentation");
    // Markdown for code and links means nothing in C.
    let text = lines.join("\n").replace(" ```c\n", "").replace(" ```\n", "").replace("[`", "`").replace("`]", "`");
    format!(
        "/* wasmlark: Starlark scripts that load, link and call WebAssembly modules.\n\n\
         \x20Generated from capi/src by `UPDATE=1 cargo test --package wasmlark-capi --test header`. Do not edit.\n\n{text} */\n"
    )
}

/// Returns the enumeration of the limits, generated from the library's table, which cbindgen cannot read.
fn limits() -> String {
    let mut text = "\n/**\n * The limits of a sandbox.\n */\ntypedef enum wasmlark_limit {\n".to_owned();
    for limit in Limit::ALL {
        let default = limit.default_value().map_or("none".to_owned(), |value| value.to_string());
        let off = if limit.is_optional() { "; `UINT64_MAX` turns it off" } else { "" };
        text.push_str("  /**\n");
        for line in limit.doc().lines().chain(["", &format!("Default {default}, at least {}{off}.", limit.minimum())]) {
            text.push_str(format!("   * {line}").trim_end());
            text.push('\n');
        }
        let name = limit.as_str().to_uppercase();
        text.push_str(&format!("   */\n  WASMLARK_LIMIT_{name} = {},\n", *limit as u32));
    }
    text.push_str("} wasmlark_limit;\n");
    text
}

fn generate() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut config = Config {
        language: Language::C,
        header: Some(introduction(root)),
        include_guard: Some("WASMLARK_H".to_owned()),
        cpp_compat: true,
        usize_is_size_t: true,
        no_includes: true,
        after_includes: Some(limits()),
        sys_includes: vec!["stddef.h".to_owned(), "stdint.h".to_owned()],
        line_length: 100,
        enumeration: EnumConfig {
            prefix_with_name: true,
            rename_variants: RenameRule::ScreamingSnakeCase,
            ..EnumConfig::default()
        },
        ..Config::default()
    };
    for (rust, c) in [
        ("Status", "wasmlark_status"),
        ("Kind", "wasmlark_kind"),
        ("Text", "wasmlark_text"),
        ("RunNumber", "wasmlark_number"),
        ("Handle", "wasmlark_object"),
        ("Print", "wasmlark_print"),
        ("Function", "wasmlark_function"),
        ("Loader", "wasmlark_loader"),
        ("Lister", "wasmlark_lister"),
        ("Import", "wasmlark_import"),
        ("CallerNumber", "wasmlark_caller"),
        ("WasmType", "wasmlark_wasm_type"),
        ("Wasm", "wasmlark_wasm"),
        ("Drop", "wasmlark_drop"),
        ("Type", "wasmlark_type"),
    ] {
        config.export.rename.insert(rust.to_owned(), c.to_owned());
        // Functions take numbers, since C may pass any number for an enumeration.
        config.export.include.push(rust.to_owned());
    }
    config.defines.insert("target_family = wasm".to_owned(), "__wasm__".to_owned());
    // cbindgen finds the other files itself.
    let builder = Builder::new().with_config(config).with_src(root.join("src/lib.rs"));
    let mut text = Vec::new();
    builder.generate().expect("cbindgen can read the source").write(&mut text);
    String::from_utf8(text).unwrap()
}

/// Returns the header's enumerations for JavaScript: `WASMLARK_LIMIT_FUEL` of `wasmlark_limit` becomes `LIMIT.fuel`.
fn constants(header: &str) -> String {
    let mut text =
        "// Generated from capi/include/wasmlark.h by `UPDATE=1 cargo test --package wasmlark-capi --test header`. Do not edit.\n"
            .to_owned();
    let mut lines = header.lines();
    while let Some(line) = lines.next() {
        let Some(name) = line.strip_prefix("typedef enum wasmlark_").and_then(|rest| rest.strip_suffix(" {")) else {
            continue;
        };
        let prefix = format!("WASMLARK_{}_", name.to_uppercase());
        text.push_str(&format!("\nexport const {} = {{\n", name.to_uppercase()));
        for line in lines.by_ref().take_while(|line| !line.starts_with('}')) {
            if let Some((name, value)) = line.trim().strip_prefix(&prefix).and_then(|rest| rest.split_once(" = ")) {
                text.push_str(&format!("  {}: {},\n", name.to_lowercase(), value.trim_end_matches(',')));
            }
        }
        text.push_str("};\n");
    }
    text
}

/// Compares a file with what is generated for it.
fn hold(path: &str, made: &str) {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&full, made).unwrap();
    }
    let stands = std::fs::read_to_string(&full).unwrap_or_default();
    assert!(
        made == stands,
        "capi/{path} differs from what capi/src generates; to update it:\n  UPDATE=1 cargo test --package wasmlark-capi --test header"
    );
}

#[test]
fn the_header_is_made_from_the_source() {
    hold("include/wasmlark.h", &generate());
}

#[test]
fn the_constants_of_javascript_are_made_from_the_header() {
    let made = constants(&generate());
    assert_eq!(made.matches("export const").count(), 7, "{made}");
    hold("../examples/web/constants.mjs", &made);
}

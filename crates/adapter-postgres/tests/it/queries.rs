//! Every query is one that a migrated server understands, and every one is in use.

use crate::server::{by_hand, database};

#[tokio::test]
async fn the_server_understands_every_query() {
    let client = by_hand(&database().await).await;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("queries");
    let included = include_str!("../../src/queries.rs");
    let mut seen = 0;
    for file in std::fs::read_dir(folder).expect("the folder of queries") {
        let path = file.expect("a file").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        assert!(included.contains(&format!("queries/{name}\"")), "{name} is not in use");
        let text = std::fs::read_to_string(&path).expect("a text");
        client.prepare(&text).await.unwrap_or_else(|error| panic!("{name}: {:?}", error.as_db_error()));
        seen += 1;
    }
    assert_eq!(seen, included.matches("include_str!").count(), "each is included once");
}

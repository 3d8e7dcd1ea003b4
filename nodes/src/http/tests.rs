//! Tests of the HTTP node: examples here, real servers in `tests/http_request.rs`.

#[tokio::test]
async fn examples_hold() {
    for node in super::http_nodes() {
        sluice_node_sdk::testkit::check_examples(&node).await.unwrap();
    }
}

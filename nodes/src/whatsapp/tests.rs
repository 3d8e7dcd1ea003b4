//! Tests of the WhatsApp nodes: examples, limits at their borders, sending and waiting.

use super::*;

fn all() -> Vec<Arc<dyn DynNode>> {
    whatsapp_nodes(Arc::new(desk::NoRecords))
}

#[tokio::test]
async fn examples_hold() {
    for node in all() {
        sluice_node_sdk::testkit::check_examples(&node).await.unwrap();
    }
}

use super::*;

#[test]
fn builder() {
    let host = FakeHost::new().user("app", 1000).file("/etc/a", "text");
    assert_eq!(host.world().text("/etc/a").unwrap(), "text");
}

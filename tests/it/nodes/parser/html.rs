//! Pages and results compared with Node-RED 5.0.4.

use serde_json::{Value as Json, json};

use super::run;

const PAGE: &str = "<div b=\"1\" a=\"2\"> <p class=x>é &amp; <br> &nbsp;y<img src=a alt></p><!-- c --><script>if(a<b){}</script></div><ul><li class=a>1<li>2<li class=a>3</ul>";

async fn parts(config: &Json, page: &str) -> Json {
    let outcome = run("html", config.clone(), &[json!({"payload": page})]).await;
    assert_eq!(outcome.done, 1, "{outcome:?}");
    outcome.payloads().remove(0)
}

#[tokio::test(start_paused = true)]
async fn each_form_takes_its_part() {
    for (ret, expected) in [
        (
            "html",
            "<p class=\"x\">&#xE9; &amp; <br/> &#xA0;y<img src=\"a\" alt=\"\"/></p><!-- c --><script>if(a&lt;b){}</script>",
        ),
        ("text", " é &   y"),
    ] {
        let expected = expected.replace("&   y", "&  \u{a0}y");
        assert_eq!(
            parts(&json!({"tag": "div", "ret": ret}), PAGE).await,
            json!([expected])
        );
    }
    assert_eq!(
        parts(&json!({"tag": "div", "ret": "attr"}), PAGE)
            .await
            .to_string(),
        "[{\"b\":\"1\",\"a\":\"2\"}]"
    );
    let complete =
        json!([{"content": "é &amp; <br> &nbsp;y<img src=\"a\" alt=\"\">", "class": "x"}]);
    assert_eq!(
        parts(&json!({"tag": "p", "ret": "compl", "chr": "content"}), PAGE).await,
        complete
    );
}

#[tokio::test(start_paused = true)]
async fn selectors_of_css_and_jquery_find_their_parts() {
    for (tag, expected) in [
        ("li", json!(["1", "2", "3"])),
        ("li.a", json!(["1", "3"])),
        ("ul > li:nth-child(2)", json!(["2"])),
        ("li:first", json!(["1"])),
        ("li.a:last", json!(["3"])),
        ("li:eq(1)", json!(["2"])),
        ("li:eq(-1)", json!(["3"])),
        ("li:gt(0)", json!(["2", "3"])),
        ("li:even", json!(["1", "3"])),
        ("li:contains(\"2\")", json!(["2"])),
        ("li:not(.a), li:first", json!(["1", "2"])),
        ("ul:has(li) li:eq(2)", json!(["3"])),
        ("li:lt(2):odd", json!(["2"])),
        ("h1", json!([])),
        ("", json!([])),
    ] {
        assert_eq!(
            parts(&json!({"tag": tag, "ret": "text"}), PAGE).await,
            expected,
            "{tag}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_for_each_part_has_parts() {
    let config = json!({"tag": "li", "as": "multi", "outproperty": "found.text"});
    let outcome = run(
        "html",
        config,
        &[json!({"_msgid": "m", "payload": "<li>a<li><li>c", "topic": "t"})],
    )
    .await;
    let sent = |index: usize, text: &str| json!({"payload": "<li>a<li><li>c", "topic": "t", "found": {"text": text}, "parts": {"id": "m", "index": index, "count": 3, "type": "string", "ch": ""}});
    // The one without content is left out.
    assert_eq!(outcome.sent, [sent(0, "a"), sent(2, "c")]);
    assert_eq!(outcome.done, 1);
    let none = run(
        "html",
        json!({"tag": "h1", "as": "multi"}),
        &[json!({"payload": "<p>"})],
    )
    .await;
    assert_eq!((none.sent, none.done), (Vec::<Json>::new(), 1));
}

#[tokio::test(start_paused = true)]
async fn properties_and_the_selector_may_come_from_elsewhere() {
    let msg = json!({"page": "<b>x</b>", "select": "b"});
    let outcome = run(
        "html",
        json!({"property": "page"}),
        std::slice::from_ref(&msg),
    )
    .await;
    assert_eq!(outcome.sent, [json!({"page": ["x"], "select": "b"})]);
    let outcome = run(
        "html",
        json!({"property": "other"}),
        std::slice::from_ref(&msg),
    )
    .await;
    assert_eq!((outcome.sent, outcome.done), (vec![msg], 1));
    let bytes = json!({"payload": {"$t": "buffer", "v": "PGI+eDwvYj4="}, "select": "i"});
    let outcome = run("html", json!({"tag": "b"}), &[bytes]).await;
    assert_eq!(outcome.payloads(), [json!(["x"])]);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_told() {
    for (config, payload, error) in [
        (
            json!({"tag": "p["}),
            json!("<p>"),
            "The selector can't be read",
        ),
        (
            json!({"tag": "p:eq(x)"}),
            json!("<p>"),
            "The selector can't be read: :eq needs a number",
        ),
        (
            json!({"tag": "p"}),
            json!(null),
            "cheerio.load() expects a string",
        ),
        (
            json!({"tag": "p"}),
            json!(5),
            "Cannot create property 'prev' on number '5'",
        ),
        (
            json!({"tag": "p", "outproperty": "a..b"}),
            json!("<p>"),
            "Invalid property expression",
        ),
    ] {
        let outcome = run("html", config, &[json!({"payload": payload})]).await;
        assert!(outcome.error().starts_with(error), "{}", outcome.error());
    }
}

#[tokio::test(start_paused = true)]
async fn deep_pages_do_no_harm() {
    let page = format!("{}x", "<div>".repeat(10_000));
    for ret in ["html", "text", "compl"] {
        let found = parts(&json!({"tag": "div:first", "ret": ret}), &page).await;
        assert_eq!(found.as_array().unwrap().len(), 1);
    }
}

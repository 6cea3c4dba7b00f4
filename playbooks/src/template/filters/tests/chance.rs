use super::*;

const CASES: &[Case] = &[
    ("60 | random(seed='web1')", "52"),
    ("60 | random(seed='web1.example.org')", "18"),
    ("60 | random(0, 5, 'web1')", "25"),
    ("100 | random(start=20, step=10, seed=7)", "70"),
    ("0 | random(start=10, step=-3, seed=7)", "4"),
    ("['a', 'b', 'c'] | random(seed='x')", r#""c""#),
    ("'abcdef' | random(seed='x')", r#""f""#),
    ("'59' | random(seed='web1')", r#""9""#),
    ("range(5) | random(seed=3)", "1"),
    (
        "range(8) | shuffle(seed='web1')",
        "[1, 7, 4, 3, 0, 6, 2, 5]",
    ),
    (
        "['a', 'b', 'c', 'd'] | shuffle(seed=12345678901)",
        r#"["a", "d", "b", "c"]"#,
    ),
    ("[] | shuffle(seed='x')", "[]"),
    ("1 | random", "0"),
    ("[7] | random", "7"),
    (
        "'a name' | to_uuid",
        r#""e8c3536b-105e-5603-9b43-970b7b6c8f4d""#,
    ),
    ("'' | to_uuid", r#""242907ad-a9d9-5139-ab1d-086ef32fcaeb""#),
    ("'é' | to_uuid", r#""0f078517-6173-59ef-944b-832f4e010f29""#),
    ("42 | to_uuid", r#""3668da1b-cef1-5085-ae20-443409c9cc73""#),
    (
        "'www' | to_uuid(namespace='6ba7b810-9dad-11d1-80b4-00c04fd430c8')",
        r#""da1c8068-b6ee-5682-81ed-dc76e172f6c5""#,
    ),
    (
        "'www' | to_uuid('{6BA7B8109DAD11D180B400C04FD430C8}')",
        r#""da1c8068-b6ee-5682-81ed-dc76e172f6c5""#,
    ),
];

#[test]
fn a_seed_gives_what_it_gives_to_ansible() {
    hold("jinja2", CASES);
}

#[test]
fn without_a_seed_it_is_another_one_each_time() {
    let found: std::collections::BTreeSet<u64> = (0..20)
        .map(|_| value("{{ 1000000000 | random }}").as_u64().unwrap())
        .collect();
    assert!(found.len() > 10, "{found:?}");
    let shuffled = value("{{ range(20) | shuffle | sort }}");
    assert_eq!(shuffled, value("{{ range(20) | list }}"));
}

#[test]
fn odd_input_is_told() {
    for (text, wanted) in [
        (
            "{{ none | random }}",
            "1:11 `random` wants a list, found nothing",
        ),
        (
            "{{ missing | random }}",
            "1:4 `missing` is undefined; define it, or say what to do without it, as in `missing | default('')`",
        ),
        (
            "{{ 1.5 | random }}",
            "1:10 `random` wants a whole number, found 1.5: `int` before it makes one",
        ),
        (
            "{{ 0 | random }}",
            "1:8 `random`: there is no number from 0 to below 0 in steps of 1",
        ),
        (
            "{{ [] | random }}",
            "1:9 `random`: there is nothing to take one of",
        ),
        (
            "{{ [1] | random(1) }}",
            "1:10 `random`: `start` and `step` are for numbers: `int` before it makes one of a text",
        ),
        (
            "{{ 5 | random(seed=[1]) }}",
            "1:8 `random`: a seed is a text or a whole number, not a list",
        ),
        (
            "{{ 5 | random(start='a') }}",
            "1:8 `random`: `start` is a whole number, not a text",
        ),
        (
            "{{ 5 | random(1, start=2) }}",
            "1:8 `random`: `start` is given twice",
        ),
        (
            "{{ 5 | shuffle }}",
            "1:8 `shuffle` wants a list, found a number",
        ),
        (
            "{{ 'x' | to_uuid('y') }}",
            "1:10 `to_uuid`: the namespace `y` is not a UUID, which has 32 hexadecimal digits",
        ),
    ] {
        assert_eq!(wrong(text), wanted, "{text}");
    }
}

#[test]
fn what_comes_of_secrets_is_secret() {
    for text in [
        "{{ db.password | random }}",
        "{{ [db.password] | random }}",
        "{{ db.password | to_uuid }}",
        "{{ ([db.password] | shuffle) | first }}",
    ] {
        assert!(matches!(render(text), Value::Secret(_)), "{text}");
    }
    let open = render("{{ [db.user, db.user] | shuffle }}");
    assert_eq!(open.to_json(), serde_json::json!(["app", "app"]));
}

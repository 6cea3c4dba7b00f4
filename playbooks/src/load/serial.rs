//! `serial` and `order`: the hosts of a play in batches.

use std::sync::Arc;

use evenkeel_engine::{Map, Value};

use crate::{
    ast::{HostOrder, OrTemplate, Play},
    files::{Span, Spanned},
    template::{Template, is_template},
    vars::{Layer, Scope, World, without_omitted},
};

/// How many hosts a batch has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Hosts(usize),
    Percent(usize),
}

/// What cannot be understood.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) at: Span,
    pub(super) message: String,
    pub(super) help: String,
}

const VALUE: &str = "write a value, or a variable that the play or the command line gives";

const HELP: &str = "a number of hosts, a percentage as in `\"30%\"`, or a list of them";

/// The order that a play wants. It sees the play's own variables and `--extra-vars`.
pub(super) fn order_of(play: &Play, extra: &Map) -> Result<HostOrder, Fault> {
    let Some(order) = &play.order else {
        return Ok(HostOrder::Inventory);
    };
    let text = match &order.value {
        OrTemplate::Is(order) => return Ok(*order),
        OrTemplate::Template(text) => Spanned::new(text.clone(), order.span),
    };
    // Mistakes of variables are told where they are used.
    let own = Layer::new(&play.common.vars, &mut Vec::new());
    let words = words("order", &text, &[Arc::new(own)], extra)?;
    let Some(name) = words.first() else {
        return Ok(HostOrder::Inventory);
    };
    HostOrder::named(name).ok_or_else(|| Fault {
        code: "unsupported",
        at: text.span,
        message: format!("the order `{name}` is not supported"),
        help: HostOrder::instead(name),
    })
}

/// Puts hosts into an order.
pub(super) fn order(order: HostOrder, hosts: &mut [String]) {
    match order {
        HostOrder::Inventory => {}
        HostOrder::ReverseInventory => hosts.reverse(),
        HostOrder::Sorted => hosts.sort(),
        HostOrder::ReverseSorted => {
            hosts.sort();
            hosts.reverse();
        }
    }
}

/// What `serial` says. It sees the play's own variables and `--extra-vars`.
pub(super) fn sizes(play: &Play, own: &[Arc<Layer>], extra: &Map) -> Result<Vec<Size>, Fault> {
    let mut sizes = Vec::new();
    for text in &play.serial {
        for word in words("serial", text, own, extra)? {
            let number = |word: &str| word.trim().parse::<usize>().ok();
            let size = match word.trim().strip_suffix('%') {
                Some(percent) => number(percent).map(Size::Percent),
                None => number(&word).map(Size::Hosts),
            };
            sizes.push(size.ok_or_else(|| Fault {
                code: "wrong_type",
                at: text.span,
                message: format!("`serial` wants a number of hosts: `{word}` is none"),
                help: HELP.to_owned(),
            })?);
        }
    }
    Ok(sizes)
}

/// What a keyword of a play says; nothing where a template leaves it out (`omit`).
fn words(
    name: &str,
    text: &Spanned<String>,
    own: &[Arc<Layer>],
    extra: &Map,
) -> Result<Vec<String>, Fault> {
    if !is_template(&text.value) {
        return Ok(vec![text.value.clone()]);
    }
    let world = World {
        extra: Layer::values(extra.clone()).into(),
        ..World::default()
    };
    let scope = Scope::new(Arc::new(world), "", own.to_vec(), Vec::new());
    let rendered = Template::text(&text.value, text.span)
        .map_err(|mut faults| faults.remove(0))
        .and_then(|template| template.evaluate(&scope.variables()));
    match rendered.map(without_omitted) {
        Ok(None) => Ok(Vec::new()),
        Ok(Some(Value::Seq(items))) => Ok(items.iter().filter_map(Value::as_text).collect()),
        Ok(Some(value)) => Ok(vec![value.as_text().unwrap_or_default()]),
        Err(fault) => Err(Fault {
            code: fault.code,
            at: text.span,
            message: format!(
                "{}: `{name}` sees `vars` of the play and `--extra-vars` only",
                fault.message
            ),
            help: if name == "serial" { HELP } else { VALUE }.to_owned(),
        }),
    }
}

/// The batches; the last size counts for all that are left. One batch where nothing is said.
pub(super) fn batches(hosts: &[String], sizes: &[Size]) -> Vec<Vec<String>> {
    let mut sizes = sizes.iter().map(|size| match size {
        Size::Hosts(number) => *number,
        Size::Percent(percent) => (hosts.len() * percent / 100).max(1),
    });
    let (mut batches, mut left) = (Vec::new(), hosts);
    let mut size = 0;
    while !left.is_empty() || batches.is_empty() {
        size = sizes.next().unwrap_or(size);
        let count = if size == 0 {
            left.len()
        } else {
            size.min(left.len())
        };
        let (batch, rest) = left.split_at(count);
        batches.push(batch.to_vec());
        left = rest;
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_as_ansible_makes_them() {
        let hosts: Vec<String> = (0..10).map(|n| format!("h{n}")).collect();
        let counts = |sizes: &[Size]| -> Vec<usize> {
            batches(&hosts, sizes).iter().map(Vec::len).collect()
        };
        assert_eq!(counts(&[]), [10]);
        assert_eq!(counts(&[Size::Hosts(0)]), [10]);
        assert_eq!(counts(&[Size::Hosts(4)]), [4, 4, 2]);
        assert_eq!(counts(&[Size::Percent(30)]), [3, 3, 3, 1]);
        assert_eq!(counts(&[Size::Percent(1)]), [1; 10]);
        assert_eq!(counts(&[Size::Hosts(1), Size::Hosts(5)]), [1, 5, 4]);
        assert_eq!(batches(&[], &[Size::Hosts(2)]), [Vec::<String>::new()]);
    }
}

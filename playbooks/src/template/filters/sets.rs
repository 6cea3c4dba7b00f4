//! Filters that take lists as sets, and that combine lists.

use minijinja::{
    Environment, Error,
    value::{Kwargs, Rest, Value as Jinja, ValueKind},
};

use super::{data::items, defined, refuse};

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("union", |a: &Jinja, b: &Jinja| {
        let mut all = items("union", a)?;
        all.extend(items("union", b)?);
        Ok::<_, Error>(distinct(all, |_| true))
    });
    env.add_filter("intersect", |a: &Jinja, b: &Jinja| {
        let b = items("intersect", b)?;
        Ok::<_, Error>(distinct(items("intersect", a)?, |item| b.contains(item)))
    });
    env.add_filter("difference", |a: &Jinja, b: &Jinja| {
        let b = items("difference", b)?;
        Ok::<_, Error>(distinct(items("difference", a)?, |item| !b.contains(item)))
    });
    env.add_filter("symmetric_difference", |a: &Jinja, b: &Jinja| {
        let name = "symmetric_difference";
        let (a, b) = (items(name, a)?, items(name, b)?);
        let both: Vec<Jinja> = a.iter().filter(|item| b.contains(item)).cloned().collect();
        Ok::<_, Error>(distinct(a.into_iter().chain(b).collect(), |item| {
            !both.contains(item)
        }))
    });
    for name in [
        "lists_union",
        "lists_intersect",
        "lists_difference",
        "lists_symmetric_difference",
    ] {
        env.add_filter(
            name,
            move |first: &Jinja, args: Rest<Jinja>, kwargs: Kwargs| {
                lists(name, first, &args, &kwargs)
            },
        );
    }
    env.add_filter("product", product);
    env.add_filter("combinations", combinations);
    env.add_filter("permutations", permutations);
    env.add_filter("zip", |first: &Jinja, rest: Rest<Jinja>| {
        let mut lists: Vec<Vec<Jinja>> = Vec::new();
        for list in std::iter::once(first).chain(rest.iter()) {
            lists.push(defined(list)?.try_iter()?.collect());
        }
        let len = lists.iter().map(Vec::len).min().unwrap_or(0);
        let row = |at: usize| lists.iter().map(|list| list[at].clone()).collect::<Jinja>();
        Ok::<_, Error>((0..len).map(row).collect::<Jinja>())
    });
    env.add_filter("zip_longest", zip_longest);
}

/// How many items a combination may have.
const LIMIT: usize = 100_000;

/// Those that belong, each once, in order.
fn distinct(list: Vec<Jinja>, belongs: impl Fn(&Jinja) -> bool) -> Jinja {
    let mut found: Vec<Jinja> = Vec::new();
    for item in list {
        if belongs(&item) && !found.contains(&item) {
            found.push(item);
        }
    }
    found.into()
}

/// The same of more than two lists, one after the other.
fn lists(name: &str, first: &Jinja, args: &[Jinja], kwargs: &Kwargs) -> Result<Jinja, Error> {
    let flat = kwargs.get::<Option<bool>>("flatten")?.unwrap_or(false);
    kwargs.assert_all_used()?;
    let mut all = Vec::new();
    for term in std::iter::once(first).chain(args) {
        let term = items(name, term)?;
        let inner = |item: &Jinja| matches!(item.kind(), ValueKind::Seq | ValueKind::Iterable);
        if flat && !term.is_empty() && term.iter().all(inner) {
            for list in &term {
                all.push(items(name, list)?);
            }
        } else {
            all.push(term);
        }
    }
    let mut all = all.into_iter();
    let mut found = all.next().unwrap_or_default();
    for other in all {
        found = match name {
            "lists_union" => [found, other].concat(),
            "lists_intersect" => found.into_iter().filter(|it| other.contains(it)).collect(),
            "lists_difference" => found.into_iter().filter(|it| !other.contains(it)).collect(),
            _ => {
                let both: Vec<Jinja> = found
                    .iter()
                    .filter(|it| other.contains(it))
                    .cloned()
                    .collect();
                let either = found.into_iter().chain(other);
                either.filter(|it| !both.contains(it)).collect()
            }
        };
    }
    Ok(distinct(found, |_| true))
}

fn product(first: &Jinja, others: Rest<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    let repeat = kwargs.get::<Option<usize>>("repeat")?.unwrap_or(1);
    kwargs.assert_all_used()?;
    let mut lists = vec![items("product", first)?];
    for other in others.iter() {
        lists.push(items("product", other)?);
    }
    let lists: Vec<_> = (0..repeat).flat_map(|_| lists.iter()).collect();
    let mut rows: Vec<Vec<Jinja>> = vec![Vec::new()];
    for list in lists {
        if rows.len().saturating_mul(list.len()) > LIMIT {
            return Err(refuse(format!(
                "`product` would give more than {LIMIT} items"
            )));
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                list.iter()
                    .map(|item| [row.clone(), vec![item.clone()]].concat())
            })
            .collect();
    }
    Ok(rows.into_iter().map(Jinja::from).collect())
}

/// Indices in lexical order; `distinct`: no item twice; `ascending`: as combinations.
fn choose(count: usize, size: usize, ascending: bool) -> Result<Vec<Vec<usize>>, Error> {
    let mut rows: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..size {
        let mut longer = Vec::new();
        for row in &rows {
            for index in 0..count {
                let fits = if ascending {
                    row.last().is_none_or(|last| *last < index)
                } else {
                    !row.contains(&index)
                };
                if fits {
                    longer.push([row.clone(), vec![index]].concat());
                }
            }
        }
        if longer.len() > LIMIT {
            return Err(refuse(format!("that would give more than {LIMIT} items")));
        }
        rows = longer;
    }
    Ok(rows)
}

fn pick(list: &[Jinja], rows: Vec<Vec<usize>>) -> Jinja {
    rows.into_iter()
        .map(|row| {
            row.into_iter()
                .map(|index| list[index].clone())
                .collect::<Jinja>()
        })
        .collect()
}

fn combinations(list: &Jinja, size: usize) -> Result<Jinja, Error> {
    let list = items("combinations", list)?;
    Ok(pick(&list, choose(list.len(), size, true)?))
}

fn permutations(list: &Jinja, size: Option<usize>) -> Result<Jinja, Error> {
    let list = items("permutations", list)?;
    Ok(pick(
        &list,
        choose(list.len(), size.unwrap_or(list.len()), false)?,
    ))
}

fn zip_longest(first: &Jinja, others: Rest<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    let fill = kwargs
        .get::<Option<Jinja>>("fillvalue")?
        .unwrap_or_else(|| Jinja::from(()));
    kwargs.assert_all_used()?;
    let mut lists = vec![items("zip_longest", first)?];
    for other in others.iter() {
        lists.push(items("zip_longest", other)?);
    }
    let rows = lists.iter().map(Vec::len).max().unwrap_or(0);
    Ok((0..rows)
        .map(|row| {
            let cells = lists
                .iter()
                .map(|list| list.get(row).cloned().unwrap_or_else(|| fill.clone()));
            cells.collect::<Jinja>()
        })
        .collect())
}

//! Much at once.

use std::fs;

use evenkeel_engine::{
    Action, Content, Identity, Probes, Sha, Write, ask,
    host::{Host as _, Op, OpResult, StepEnd},
    probes::{Digest, FileStat, Stat},
    sha256,
};

use crate::support::{Machine, look, machines, ran, step, typed};

#[tokio::test]
async fn ten_thousand_probes_in_one_exchange() {
    for machine in machines() {
        let dir = format!("{}/{}", machine.path("d"), "long".repeat(40));
        fs::create_dir_all(&dir).unwrap();
        let mut probes = Probes::new();
        for number in 0..5_000 {
            let path = format!("{dir}/it's {number}");
            if number % 2 == 0 {
                fs::write(&path, number.to_string()).unwrap();
            }
            probes.push(ask(Stat(path.clone())));
            probes.push(ask(Digest(path)));
        }
        let answers = machine.observe(&probes).await;
        for (number, pair) in answers.chunks(2).enumerate() {
            let there = number % 2 == 0;
            assert_eq!(typed::<Option<FileStat>>(&pair[0]).is_some(), there);
            let expected = there.then(|| sha256(number.to_string().as_bytes()));
            assert_eq!(typed::<Option<Sha>>(&pair[1]), expected);
        }
        let guard = Op::Guard {
            who: Identity::login(),
            holds: probes.into_iter().zip(answers).collect(),
        };
        let reply = machine.host.exchange(look(vec![guard])).await.unwrap();
        assert!(matches!(ran(reply).0[..], [OpResult::Guarded(None)]));
    }
}

#[tokio::test]
async fn two_thousand_files_in_one_exchange() {
    for (shell, count) in [("dash", 2_000), ("bash", 200)] {
        let machine = Machine::in_memory(shell);
        let write = |number: usize| {
            let bytes = vec![u8::try_from(number % 256).unwrap(); number * 3];
            step(Action::Write(Write {
                path: machine.path(&format!("f{number}")),
                content: Content::from(bytes),
                ..Write::default()
            }))
        };
        let results = machine.chain((0..count).map(write).collect()).await;
        for (number, result) in results.iter().enumerate() {
            assert!(
                matches!(result, OpResult::Stepped(StepEnd::Ok(_))),
                "{number}: {result:?}"
            );
            let bytes = fs::read(machine.path(&format!("f{number}"))).unwrap();
            assert_eq!(bytes.len(), number * 3);
            assert!(bytes.iter().all(|byte| usize::from(*byte) == number % 256));
        }
    }
}

#[tokio::test]
async fn a_large_file() {
    for machine in machines() {
        let path = machine.path("large");
        let bytes: Vec<u8> = (0..4_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let write = Write {
            path: path.clone(),
            content: bytes.clone().into(),
            ..Write::default()
        };
        let end = machine.step(Action::Write(write)).await;
        assert!(matches!(end, StepEnd::Ok(_)), "{end:?}");
        assert!(fs::read(&path).unwrap() == bytes);
        assert!(machine.host.traffic().sent > 16_000_000);
    }
}

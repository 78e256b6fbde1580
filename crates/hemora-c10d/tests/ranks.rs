//! Real ranks: this test program starts itself, with the variables that torchrun would set.

use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use hemora_c10d::{GroupOptions, ProcessGroup, ProcessRank};
use tch::{Device, Kind, Tensor};

const SCENARIO: &str = "HEMORA_C10D_TEST";

/// Starts `world` ranks of the scenario.
fn start(scenario: &str, world: usize) -> Vec<Child> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    (0..world)
        .map(|rank| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "rank", "--ignored", "--nocapture", "--test-threads=1"])
                .env(SCENARIO, scenario)
                .env("MASTER_ADDR", "127.0.0.1")
                .env("MASTER_PORT", port.to_string())
                .env("RANK", rank.to_string())
                .env("WORLD_SIZE", world.to_string())
                .env("OMP_NUM_THREADS", "1")
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect()
}

/// Whether each rank succeeded, and what it wrote to stderr.
fn ends(ranks: Vec<Child>) -> Vec<(bool, String)> {
    let ended = |rank: Child| {
        let Output { status, stderr, .. } = rank.wait_with_output().unwrap();
        (status.success(), String::from_utf8_lossy(&stderr).into_owned())
    };
    ranks.into_iter().map(ended).collect()
}

/// What a rank does: run by [`start`] alone.
#[test]
#[ignore = "a rank that the other tests start"]
fn rank() {
    let Ok(scenario) = std::env::var(SCENARIO) else { return };
    let process = ProcessRank::from_environment().unwrap().expect("started as a rank");
    let options = GroupOptions {
        device: Device::Cpu,
        timeout: Duration::from_secs(if scenario == "late" { 5 } else { 120 }),
        hint: "start it again".to_owned(),
    };
    let group = ProcessGroup::open(process, options).unwrap();
    let rank = group.rank();
    match scenario.as_str() {
        "collectives" => collectives(&group),
        "killed first" | "killed last" => {
            let victim = if scenario == "killed first" { 0 } else { group.world() - 1 };
            group.barrier();
            if rank == victim {
                std::process::abort();
            }
            group.barrier();
        }
        "late" if rank == 1 => std::thread::sleep(Duration::from_secs(20)),
        "late" => group.barrier(),
        "fails" if rank == 1 => {
            group.fail("the loss is NaN");
            std::process::exit(1);
        }
        "panics" if rank == 1 => panic!("out of luck"),
        "fails" | "panics" => group.barrier(),
        other => unreachable!("{other}"),
    }
    group.finish();
}

fn collectives(group: &ProcessGroup) {
    let (rank, world) = (group.rank() as i64, group.world() as i64);
    let kind = (Kind::Float, Device::Cpu);
    // More than one bucket, a layout that is not the logical order, and another kind.
    let large = Tensor::full([7 << 20], rank as f64 + 1.0, kind);
    let grid = Tensor::arange(24, kind).reshape([1, 2, 3, 4]);
    let layout = grid.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2]);
    let whole = Tensor::from_slice(&[rank, 1]);
    group.all_reduce_sum(&[large.shallow_clone(), layout.shallow_clone(), whole.shallow_clone()]);
    let sum = world * (world + 1) / 2;
    assert_eq!(large.min().double_value(&[]), sum as f64);
    assert_eq!(large.max().double_value(&[]), sum as f64);
    assert_eq!(layout, grid * world);
    assert_eq!(Vec::<i64>::try_from(whole).unwrap(), [sum - world, world]);

    let weight = Tensor::from_slice(&[rank as f32 + 0.5]).set_requires_grad(true);
    group.broadcast(std::slice::from_ref(&weight));
    assert_eq!(weight.double_value(&[0]), 0.5);
    assert!(weight.requires_grad());

    let own: Vec<f32> = (0..rank).map(|at| (10 * rank + at) as f32).collect();
    let gathered = group.all_gather(&Tensor::from_slice(&own));
    let gathered: Vec<Vec<f32>> =
        gathered.iter().map(|part| Vec::try_from(part).unwrap()).collect();
    assert_eq!(gathered, [vec![], vec![10.0], vec![20.0, 21.0]]);
}

#[test]
fn sums_broadcasts_and_gathers() {
    for (rank, (success, stderr)) in ends(start("collectives", 3)).into_iter().enumerate() {
        assert!(success, "rank {rank}: {stderr}");
    }
}

#[test]
fn a_killed_rank_is_named_by_all_others() {
    for (scenario, victim) in [("killed first", 0), ("killed last", 2)] {
        let ranks = start(scenario, 3);
        let name = format!("rank {victim} (host ");
        let pid = format!(", pid {})", ranks[victim].id());
        for (rank, (success, stderr)) in ends(ranks).into_iter().enumerate() {
            assert!(!success, "{scenario}: rank {rank} went on");
            if rank == victim {
                continue;
            }
            let error = stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or(&stderr);
            assert!(error.contains(&name) && error.contains(&pid), "{scenario}, {rank}: {stderr}");
            let others = (0..3).filter(|other| *other != victim);
            for other in others {
                assert!(
                    !error.contains(&format!("rank {other} (")),
                    "{scenario}, {rank}: {stderr}"
                );
            }
            assert!(stderr.contains("start it again"), "{scenario}, {rank}: {stderr}");
        }
    }
}

#[test]
fn a_rank_that_does_not_come_to_a_collective_is_named() {
    let ends = ends(start("late", 2));
    assert!(!ends[0].0 && !ends[1].0, "{ends:?}");
    let stderr = &ends[0].1;
    assert!(stderr.contains("rank 0 (") && stderr.contains("collective failed"), "{stderr}");
    assert!(stderr.contains("rank 1 (") && stderr.contains("has entered 0 of 1"), "{stderr}");
}

#[test]
fn the_others_say_why_a_rank_ended() {
    for (scenario, why) in [("fails", "the loss is NaN"), ("panics", "panicked")] {
        for (rank, (success, stderr)) in ends(start(scenario, 3)).into_iter().enumerate() {
            assert!(!success, "{scenario}: rank {rank} went on");
            if rank != 1 {
                assert!(stderr.contains("error: rank 1 (host "), "{scenario}, {rank}: {stderr}");
                assert!(stderr.contains(why), "{scenario}, {rank}: {stderr}");
            }
        }
    }
}
